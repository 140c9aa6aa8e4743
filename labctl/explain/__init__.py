"""Why a server or a request failed: the story across all services' logs, the first cause on top."""
