"""The order of the examples: first steps first; examples that are not listed come last."""

LISTED = [
    "fuse_in_a_pipeline",
    "grid_search",
    "few_samples",
    "image_beside_text",
    "text_beside_numbers",
    "noisy_views",
    "missing_views",
    "two_domains",
    "look_inside",
    "find_the_anomalous_clip",
    "tabular_anomaly",
    "custom_relation",
    "train_by_gradients",
    "watch_the_fit",
    "save_and_load",
    "larger_than_memory",
]


class AsListed:
    """Key by which sphinx-gallery sorts files."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        stem = name.removeprefix("plot_").removesuffix(".py")
        place = LISTED.index(stem) if stem in LISTED else len(LISTED)
        return f"{place:03d}{stem}"

    def __repr__(self):
        return "gallery_order.AsListed"
