"""What leaves the studio: for now the block that a Hugging Face Space reads."""
