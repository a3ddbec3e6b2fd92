"""Where frames come from: video files, folders, zip archives, HDF5, optical flow."""
