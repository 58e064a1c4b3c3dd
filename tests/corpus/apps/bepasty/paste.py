import os
from pathlib import Path

os.environ["BEPASTY_CONFIG"] = str(Path(__file__).with_name("bepasty.conf"))
from bepasty.wsgi import application  # noqa: F401
