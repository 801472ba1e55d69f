/** Certificates that live as long as a test, made by the `openssl` command. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Identity } from "./server.js";

/** A certificate that signed itself, so that it is its own authority. */
export interface Certificate extends Identity {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A folder with certificates; `remove` deletes it. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), "certificates-"));

  /** Write a certificate for a host name. */
  issue(name: string): Certificate {
    const certFile = join(this.folder, `${name}.pem`);
    const keyFile = join(this.folder, `${name}.key`);
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
    const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    execFileSync("openssl", ["req", "-x509", ...key, ...subject, "-days", "2", "-out", certFile], { stdio: "pipe" });
    return { certFile, keyFile, cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
