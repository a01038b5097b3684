"""Image diagnosis (视频质量诊断): each fault of a picture as a measured quantity. docs/methods/diagnosis.md.

levels.py: black, over- and underexposure; detail.py: blur; grain.py: noise; bands.py: stripes; time.py: standstill,
freeze, shake; view.py and hidden.py: what differs from a reference picture of the view: another view, colour, occlusion.
Nothing here knows a threshold: those are data, standards/thresholds/diagnosis.toml.
"""
