"""From files to checked training rows: sources, columns, cleaning, previews and data set versions."""
