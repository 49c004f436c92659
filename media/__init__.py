"""RTP, codecs, playout and recording: the media worker process and its control channel; knows nothing of SIP."""
