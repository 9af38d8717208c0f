"""Words for how an image looks, by axis: the offline rewriter chooses among them, and the offline painter understands each."""

from collections.abc import Mapping
from types import MappingProxyType

# Each axis is one decision of a photographer or painter; none of them touches what the image shows.
AXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "light": (
            "golden hour light",
            "blue hour light",
            "soft overcast light",
            "harsh midday sun",
            "neon light",
            "candlelight",
            "moonlight",
            "misty light",
            "strong backlight",
        ),
        "palette": (
            "warm palette",
            "cool palette",
            "muted colours",
            "vivid saturated colours",
            "monochrome",
            "pastel colours",
            "earthy tones",
        ),
        "camera": (
            "wide-angle view",
            "close-up",
            "low angle",
            "high angle",
            "telephoto view",
            "dutch angle",
        ),
        "composition": (
            "symmetrical composition",
            "rule of thirds",
            "plenty of empty space",
            "tight framing",
        ),
        "mood": (
            "serene mood",
            "mysterious mood",
            "cheerful mood",
            "melancholic mood",
            "dreamy mood",
            "dramatic mood",
        ),
        "style": (
            "film photograph",
            "watercolour",
            "oil painting",
            "flat poster",
            "fine film grain",
            "high contrast",
            "soft focus",
            "crisp detail",
        ),
    }
)
