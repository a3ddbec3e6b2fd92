"""From videos to batches of clips: sampling, transforms, augmentation, `tf.data`."""
