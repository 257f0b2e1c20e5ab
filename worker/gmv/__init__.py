"""gmv: a streaming attribution worker. Generated-image events in, exact owner credits out."""

__version__ = "0.1.0"
