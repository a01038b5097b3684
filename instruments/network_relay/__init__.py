"""A user-space network path: forwards TCP and UDP between bench and camera, and spoils it as it is told.

For a station without tc netem, and for proofs that need to know each packet's fate. Run as a process of its own,
``python -m instruments.network_relay --help``; driven over its control socket by
`instruments.network_emulator.NetworkRelay`. Each direction is one path with one bottleneck, shared by all that
flows in it (`delay_line`).

What it can and cannot do. UDP: everything. TCP: delay, jitter, rate and cut; loss, duplicates and reordering do not
exist in a byte stream, where the two ends' kernels would mend them, so they are not applied. RTSP with RTP over UDP
is carried by rewriting the ports in SETUP, as a home router does (`rtsp`). Addresses inside of payloads (an ONVIF
stream address, an RTSP redirect) are not rewritten: give the bench the relay's own address.
"""
