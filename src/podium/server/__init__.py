"""The composition root: the only room that knows concrete engines and settings.

`podium up` calls `serve`.
"""

from podium.server.serve import serve as serve
from podium.server.settings import Settings as Settings
