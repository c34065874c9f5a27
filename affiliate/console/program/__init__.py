"""The program itself: set-up, settings, people, brand, chats, copies and its end."""
