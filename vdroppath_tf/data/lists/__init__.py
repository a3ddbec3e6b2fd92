"""Every format of list, folder and archive, read into one `Manifest`."""
