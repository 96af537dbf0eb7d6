"""Time and money: whose service has ended. What follows from it is intent, and goes through the subscribers' door."""
