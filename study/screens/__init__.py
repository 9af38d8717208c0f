"""The pages that participants see; `pages.py` is the script that Streamlit runs."""
