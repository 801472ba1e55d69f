// Package workerpool calls a pool: it lists workers, follows tasks to their end, and tells why a task waits or failed.
//
// [Connect] takes the address of core's gRPC port and returns a [Client]. Its methods cover what most programs need; the
// generated stubs behind it (Client.Tasks, Client.Pool, Client.Deals) have every call, with the same credentials,
// deadlines, retries and errors. The stubs are in gen/; they are generated from the server's protos and never edited.
//
// Every failed call returns an [*Error], which holds the server's reason, its cause in words and the next step.
package workerpool
