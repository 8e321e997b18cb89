"""A certificate authority in a directory, made with the `openssl` command: roots, certificates below them with any
defect, and a list of revoked ones. All of them are new, and trusted by nothing else.
"""

import subprocess

PATIENCE = 30  # seconds for one certificate
PAST = ("20200101000000Z", "20200201000000Z")
NOW = ("20240101000000Z", "20991231235959Z")
FUTURE = ("20980101000000Z", "20991231235959Z")

CONFIG = """
[ca]
default_ca = it
[it]
database = {folder}/index
new_certs_dir = {folder}
crlnumber = {folder}/crlnumber
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
default_crl_days = 3650
x509_extensions = below
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[itself]
basicConstraints = critical, CA:TRUE
subjectAltName = {names}
[below]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = {names}
"""


class Authority:
    """Certificates in a directory. Each file holds a certificate and, in a separate file, its key."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "openssl.cnf"
        (folder / "index").touch()
        (folder / "crlnumber").write_text("01\n")

    def openssl(self, *words, names=("none.invalid",)):
        """Runs openssl with this configuration; any failure is an error of this test."""
        names = ", ".join(f"{'IP' if name.replace('.', '').isdigit() else 'DNS'}:{name}" for name in names)
        self.config.write_text(CONFIG.format(folder=self.folder, names=names))
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode:
            raise RuntimeError(f"openssl {' '.join(map(str, words))}: {done.stderr}")

    def path(self, name, end="pem"):
        return self.folder / f"{name}.{end}"

    def request(self, name, kind, *names):
        """A new key, and either a request or a self-signed certificate."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.path(name, "key")]
        words = ["-subj", f"/CN={name}", "-config", self.config, *key, "-out", self.path(name, kind)]
        return words, (names or ("none.invalid",))

    def root(self, name, *names, extensions="authority"):
        """A self-signed certificate: that of an authority by default."""
        words, names = self.request(name, "pem", *names)
        self.openssl("req", "-x509", "-days", "3650", "-extensions", extensions, *words, names=names)
        return self.path(name)

    def issue(self, name, by, *names, valid=NOW, extensions="below"):
        """A certificate signed by another one, for these names and addresses."""
        words, names = self.request(name, "csr", *names)
        self.openssl("req", "-new", *words, names=names)
        signed = ["-cert", self.path(by), "-keyfile", self.path(by, "key"), "-extensions", extensions]
        dates = ["-startdate", valid[0], "-enddate", valid[1]]
        files = ["-in", self.path(name, "csr"), "-out", self.path(name)]
        self.openssl("ca", "-batch", "-notext", "-config", self.config, *signed, *dates, *files, names=names)
        return self.path(name)

    def revocations(self, by):
        """The revocation list of an authority, which is empty."""
        files = ["-cert", self.path(by), "-keyfile", self.path(by, "key"), "-out", self.path(by, "crl")]
        self.openssl("ca", "-gencrl", "-config", self.config, *files)
        return self.path(by, "crl")

    def trusted(self, name):
        """The same certificate as openssl writes trusted ones: with additional data, under a label of its own."""
        files = ["-in", self.path(name), "-out", self.path(name, "trusted")]
        self.openssl("x509", "-trustout", "-addtrust", "serverAuth", "-setalias", name, *files)
        return self.path(name, "trusted")

    def chain(self, *names):
        """A file for a server: its certificate, the intermediate ones, and its key."""
        file = self.path("-".join(names), "chain")
        file.write_text("".join(self.path(name).read_text() for name in names) + self.path(names[0], "key").read_text())
        return file
