"""Files that lie elsewhere: http(s), and object stores."""
