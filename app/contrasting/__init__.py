"""Two cohorts of a page's visits → where one loses time and the other does not, and how surely."""
