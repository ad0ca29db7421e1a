"""The pages of the workbench, one thin file each; `_parts` holds what several of them share."""
