"""Raw rows of a day → what each page view tells: people, signals, stalls."""
