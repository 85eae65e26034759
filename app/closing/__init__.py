"""The closing job: a day's raw rows → views, visits, outcomes, stall lists."""
