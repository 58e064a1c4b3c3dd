"""What a published version runs in: images, and the containers or processes made of them."""
