"""The studio as a Hugging Face Space: what spaces.yaml means, what a deployment would send, and sending exactly that."""
