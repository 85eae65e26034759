"""Map → picture, in processes of their own; pictures from outside."""
