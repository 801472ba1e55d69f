package workerpool

// Version is the version of this client; it equals the version of the server whose protos it was generated from.
const Version = "0.1.0"
