"""What a browser is shown: templates, and the script and style that esbuild puts into `static/`."""
