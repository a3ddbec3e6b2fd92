"""Known-answer tasks: moving shapes over noise, written as video files."""
