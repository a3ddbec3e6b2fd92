"""Networks as SavedModels that need TensorFlow alone, and their answers for video files."""
