"""TFRecord files of JPEG frames: written, indexed, read, and streamed inside a graph."""
