"""gRPC servicers and HTTP routes, which translate, authorise and delegate without decisions."""
