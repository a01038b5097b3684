"""Image diagnosis (视频质量诊断): each fault of a picture as a measured quantity. docs/methods/diagnosis.md.

levels.py: black, over- and underexposure, colour cast; detail.py: blur, noise, stripes; time.py: standstill, shake;
view.py: what differs from a reference picture of the view: occlusion, another view, change of colour.
Nothing here knows a threshold: those are data, standards/thresholds/diagnosis.toml.
"""
