"""A GStreamer RTSP server for one file; run with the system's Python, which has PyGObject.

python3 gst_server.py FILE.mp4 [h264|h265|mjpeg]       prints its port, then runs until it is ended
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - only after require_version

Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_service("0")
server.set_address("127.0.0.1")
factory = GstRtspServer.RTSPMediaFactory.new()
codec = sys.argv[2] if len(sys.argv) > 2 else "h264"
payer = {"h264": "h264parse ! rtph264pay", "h265": "h265parse ! rtph265pay", "mjpeg": "rtpjpegpay"}[codec]
number = 26 if codec == "mjpeg" else 96
factory.set_launch(f'( filesrc location="{sys.argv[1]}" ! qtdemux ! {payer} name=pay0 pt={number} )')
server.get_mount_points().add_factory("/cam", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
