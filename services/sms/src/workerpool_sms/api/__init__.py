"""The gRPC and HTTP interfaces of the SMS, which translate, authorise and delegate without decisions."""
