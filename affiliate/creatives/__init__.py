"""What partners promote with: banners, texts, posts, mails, snippets, videos, documents, product feeds."""
