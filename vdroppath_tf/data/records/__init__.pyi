from .parts import BadVideo as BadVideo
from .reader import read_index as read_index
from .reader import read_records as read_records
from .service import start_dispatcher as start_dispatcher
from .service import start_worker as start_worker
from .stream import stream_clips as stream_clips
from .writer import Written as Written
from .writer import write_records as write_records
