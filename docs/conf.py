"""Settings of the documentation: `make docs` builds it, from local files alone."""

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import legofuse  # noqa: E402

project = "legofuse"
author = "legofuse developers"
project_copyright = author
version = release = legofuse.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    # of our own, in _ext
    "api_pages",
    "internal_links",
    "mathml",
    "other_projects",
]
nitpicky = True
templates_path = ["_templates"]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst"]
default_role = "code"

# API pages
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Markdown: the benchmark pages, which programs write, and the files of the repository's root
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = [
    "config.cache",  # the gallery's settings hold a class
    "myst.xref_missing",  # the root's files link to one another by path
]

# The examples are run, all of them
warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive", UserWarning)
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "within_subsection_order": "gallery_order.AsListed",
    "doc_module": ("legofuse",),
    "reference_url": {"legofuse": None},
    "backreferences_dir": "generated/backreferences",
    "abort_on_example_error": False,
    "only_warn_on_example_error": True,  # -W makes an error of it, after all examples were tried
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "plot_gallery": "True",
}

# Copy code without prompts and output
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = "legofuse"
html_static_path = ["_static"]
html_css_files = ["legofuse.css"]
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_sidebars = {"index": []}
