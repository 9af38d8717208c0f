"""Places: the surroundings in which the painter sets its subjects."""

from collections.abc import Mapping
from types import MappingProxyType

from stimuli.generators.sketch.places import interiors, outdoors, structures, walls, waters
from stimuli.generators.sketch.places.stage import Place, indoor_spots, nothing, outdoor_spots, table_spots

PLACES: Mapping[str, Place] = MappingProxyType(
    {
        "meadow": Place(outdoors.meadow, outdoors.meadow_front, outdoor_spots),
        "desert": Place(outdoors.desert, nothing, outdoor_spots),
        "snow": Place(outdoors.snow, outdoors.snow_front, outdoor_spots),
        "forest": Place(outdoors.forest, outdoors.forest_front, outdoor_spots),
        "elsewhere": Place(outdoors.elsewhere, nothing, outdoor_spots),
        "sea": Place(waters.sea, waters.sea_front, waters.sea_spots, foot=0.9),
        "beach": Place(waters.beach, waters.beach_front, outdoor_spots),
        "lake": Place(waters.lake, waters.lake_front, outdoor_spots),
        "street": Place(structures.street, structures.street_front, outdoor_spots),
        "glasshouse": Place(structures.glasshouse, structures.glasshouse_front, structures.glasshouse_spots, indoors=True),
        "room": Place(interiors.room, nothing, indoor_spots, indoors=True),
        "library": Place(interiors.library, nothing, indoor_spots, indoors=True),
        "concrete": Place(walls.concrete, nothing, indoor_spots, indoors=True),
        "table": Place(walls.table, nothing, table_spots, indoors=True),
        "theatre": Place(walls.theatre, nothing, indoor_spots, indoors=True),
        "backdrop": Place(walls.backdrop, nothing, indoor_spots, indoors=True),
    }
)
