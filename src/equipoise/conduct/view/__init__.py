"""The trial as a viewer may see it: every read starts here.

`MaskedView` has no allocation in its types. `UnmaskedView` adds it. `lines` holds what they return, `scope`
the rules of who sees what; each other module reads one part of a trial within such a scope.
"""

from equipoise.conduct.view.views import MaskedView, UnmaskedView

__all__ = ["MaskedView", "UnmaskedView"]
