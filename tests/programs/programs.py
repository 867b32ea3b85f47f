# SPDX-License-Identifier: BSD-2-Clause
"""The programs of tests/programs/run, and what they are to do: `script` runs in a folder of its own, with HOST, the site's
name; SITE, its files; CA, who has signed for it. `prepare` makes files of the site. `local` is what a program does that
asks for nothing outside; `notice` is what it has to be told of meanwhile. `says` finds the line that tells of a refusal."""
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def git_repository(site, _):
    work = f"{site}/../repository"
    for command in (["git", "init", "-q", work], ["git", "-C", work, "-c", "user.name=a", "-c", "user.email=a@lab.test",
                    "commit", "-q", "--allow-empty", "-m", "a"], ["git", "clone", "-q", "--bare", work, f"{site}/r.git"],
                    ["git", "-C", f"{site}/r.git", "update-server-info"]):
        subprocess.run(command, check=True, capture_output=True)


def python_package(site, _):
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("labpkg.py", "")
        archive.writestr("labpkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: labpkg\nVersion: 1.0\n")
        archive.writestr("labpkg-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("labpkg-1.0.dist-info/RECORD", "")
    put(f"{site}/simple/labpkg/labpkg-1.0-py3-none-any.whl", wheel.getvalue())
    put(f"{site}/simple/labpkg/index.html", '<a href="labpkg-1.0-py3-none-any.whl">labpkg-1.0-py3-none-any.whl</a>')


def tar_of(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


def node_package(site, host):
    package = {"name": "labpkg", "version": "1.0.0"}
    tarball = tar_of({"package/package.json": json.dumps(package)})
    put(f"{site}/labpkg-1.0.0.tgz", tarball)
    package["dist"] = {"tarball": f"https://{host}/labpkg-1.0.0.tgz", "shasum": hashlib.sha1(tarball).hexdigest()}
    put(f"{site}/labpkg", json.dumps({"name": "labpkg", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": package}}))


def rust_crate(site, host):
    crate = tar_of({"labcrate-1.0.0/Cargo.toml": '[package]\nname = "labcrate"\nversion = "1.0.0"\nedition = "2021"\n',
                    "labcrate-1.0.0/src/lib.rs": ""})
    put(f"{site}/crates/labcrate-1.0.0.crate", crate)
    put(f"{site}/index/config.json", json.dumps({"dl": f"https://{host}/crates/{{crate}}-{{version}}.crate"}))
    put(f"{site}/index/la/bc/labcrate", json.dumps({
        "name": "labcrate", "vers": "1.0.0", "deps": [], "features": {}, "yanked": False,
        "cksum": hashlib.sha256(crate).hexdigest()}) + "\n")


def go_module(site, _):
    module, data = "lab.test/m", io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(f"{module}@v1.0.0/go.mod", f"module {module}\n")
        archive.writestr(f"{module}@v1.0.0/m.go", "package m\n")
    base = f"{site}/go/{module}/@v/"
    put(base + "v1.0.0.info", '{"Version":"v1.0.0","Time":"2026-01-02T03:04:05Z"}')
    put(base + "v1.0.0.mod", f"module {module}\n")
    put(base + "v1.0.0.zip", data.getvalue())


def debian_release(site, _):
    put(f"{site}/debian/dists/lab/main/binary-all/Packages", "")
    put(f"{site}/debian/dists/lab/Release", "Suite: lab\nComponents: main\nArchitectures: all\n"
        "Date: Fri, 02 Jan 2026 03:04:05 UTC\nSHA256:\n " + hashlib.sha256(b"").hexdigest() +
        " 0 main/binary-all/Packages\n")


def page(site, _):
    put(f"{site}/index.html", "<title>lab</title>the page\n")


def nginx(sendfile):
    """A script: nginx on loopback, and what curl gets of it."""
    return f"""
        printf 'pid p; error_log e; daemon off; events {{}} http {{ sendfile {sendfile}; access_log off;
          client_body_temp_path b; proxy_temp_path b; fastcgi_temp_path b; uwsgi_temp_path b; scgi_temp_path b;
          server {{ listen 127.0.0.1:8080; root %s; }} }}' "$SITE" > c
        nginx -p $PWD -c c & for i in $(seq 100); do test -s p && break; sleep 0.1; done
        curl -sS http://127.0.0.1:8080/ > got || true; kill $!; """


JAVA = """
import java.net.*; import javax.net.ssl.*;
class Get { public static void main(String[] a) throws Exception {
  System.out.print(new String(new URL("https://" + a[0] + "/").openStream().readAllBytes())); } }
"""

PROGRAMS = {
    "curl": {"what": "a page", "prepare": page, "script": 'curl -sS --cacert "$CA" "https://$HOST/" | grep page'},
    "wget": {"what": "a page", "script": 'wget -nv --ca-certificate="$CA" "https://$HOST/"', "says": "(?i)unable|error|abort"},
    "git": {"what": "clone", "prepare": git_repository, "script": 'GIT_SSL_CAINFO="$CA" git clone "https://$HOST/r.git"',
            "says": "fatal|abort"},
    "pip": {"what": "install", "prepare": python_package, "script":
            'pip --disable-pip-version-check install --cert "$CA" --index-url "https://$HOST/simple" --target t labpkg',
            "says": "WARNING|ERROR"},
    "npm": {"what": "install", "prepare": node_package, "script":
            'npm install --cafile="$CA" --registry="https://$HOST/" labpkg', "says": "npm error|ECONN"},
    "cargo": {"what": "fetch", "prepare": rust_crate, "script": """
        mkdir src; echo > src/lib.rs
        printf '[package]\\nname = "a"\\nversion = "0.1.0"\\nedition = "2021"\\n[dependencies]\\nlabcrate = "1"\\n' > Cargo.toml
        export CARGO_HOME=$PWD/cargo CARGO_HTTP_CAINFO=$CA RUSTUP_HOME=${RUSTUP_HOME-/root/.rustup}
        export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_SPARSE_REGISTRY=true # of use to versions before 1.68 alone
        mkdir cargo; printf '[source.crates-io]\\nreplace-with = "lab"\\n[source.lab]\\nregistry = "sparse+https://%s/index/"\\n' "$HOST" > cargo/config.toml
        cargo fetch""", "says": "warning: spurious|error"},
    "go": {"what": "mod download", "prepare": go_module, "script":
           'printf "module a\\nrequire lab.test/m v1.0.0\\n" > go.mod; '
           'SSL_CERT_FILE="$CA" GOPROXY="https://$HOST/go" GONOSUMDB=* GOFLAGS=-modcacherw GOPATH=$PWD/go go mod download', "says": "abort|EOF|dial|go:"},
    "java": {"what": "URL.openStream()", "script":
             'keytool -importcert -noprompt -file "$CA" -keystore t -storepass changeit 2>/dev/null; '
             f"cat > Get.java <<'END'{JAVA}END\n"
             'java -Djavax.net.ssl.trustStore=t -Djavax.net.ssl.trustStorePassword=changeit Get.java "$HOST"', "says": "Exception"},
    "node": {"what": "https.get()", "script":
             'NODE_EXTRA_CA_CERTS="$CA" node -e \'require("https").get("https://" + process.env.HOST + "/", '
             "a => a.pipe(process.stdout))'", "says": "Error:"},
    "python3": {"what": "urllib", "script":
                'SSL_CERT_FILE="$CA" python3 -c \'import os, urllib.request as u; print(u.urlopen("https://" + '
                'os.environ["HOST"]).read())\'', "says": "Error"},
    "perl": {"what": "IO::Socket::SSL", "script":
             'perl -MIO::Socket::SSL -e \'IO::Socket::SSL->new(PeerHost => $ENV{HOST}, PeerPort => 443, '
             'SSL_ca_file => $ENV{CA}) or die "cannot connect: $!, $IO::Socket::SSL::SSL_ERROR"\''},
    "ruby": {"what": "open-uri", "script":
             'SSL_CERT_FILE="$CA" ruby -ropen-uri -e \'puts URI.open("https://#{ENV["HOST"]}/").read\''},
    "php": {"what": "file_get_contents()", "script":
            'php -d openssl.cafile="$CA" -r \'echo file_get_contents("https://" . getenv("HOST") . "/") or exit(1);\''},
    "deno": {"what": "fetch()", "script": 'DENO_TLS_CA_STORE=system deno run --cert "$CA" -A - <<END\n'
             'console.log(await (await fetch("https://" + Deno.env.get("HOST") + "/")).text())\nEND'},
    "bun": {"what": "fetch()", "script": 'NODE_EXTRA_CA_CERTS="$CA" bun -e \'console.log(await (await fetch("https://" '
            '+ process.env.HOST + "/")).text())\''},
    "openssl": {"what": "s_client", "script":
                'openssl s_client -brief -verify_return_error -CAfile "$CA" -connect "$HOST:443" -servername "$HOST" '
                "</dev/null", "says": "errno"},
    "apt": {"what": "update", "file": "apt-get", "root": True, "prepare": debian_release, "script": """
        mkdir -p lists/partial cache; echo "deb [trusted=yes arch=all] https://$HOST/debian lab main" > sources
        apt-get -q -o Dir::Etc::SourceList=$PWD/sources -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$PWD/lists \\
          -o Dir::Cache=$PWD/cache -o Acquire::https::CAInfo="$CA" -o Acquire::Languages=none -o APT::Architecture=all \\
          -o APT::Architectures=all -o APT::Sandbox::User=root --error-on=any update""", "says": "^Err|^E:|abort"},
    "chromium": {"what": "a page, headless", "prepare": page, "script": """
        chromium --headless --disable-gpu --ignore-certificate-errors --user-data-dir=$PWD/c --dump-dom \\
          "https://$HOST/" 2>/dev/null | grep 'the page'""", "says": "never"},
    "ssh": {"what": "TCP to port 22", "script":
            'test "$HOST" = allowed.lab.test || exec ssh -o BatchMode=yes -o StrictHostKeyChecking=no "$HOST" true'},
    "psql": {"what": "TLS behind its question", "script":
             'psql "host=$HOST connect_timeout=9 sslmode=verify-full sslrootcert=$CA" -c "select 1" 2>&1 | tee out; '
             "grep 'the lab' out", "says": "error"},
    "redis-cli": {"what": "TLS to port 6379", "script":
                  'test "$HOST" = allowed.lab.test || exec redis-cli --tls -h "$HOST" ping'},
    "bwrap": {"local": "a sandbox of its own", "script": "bwrap --ro-bind / / --unshare-user --unshare-pid true"},
    "runc": {"local": "a rootless container, without a cgroup namespace", "script": """
        mkdir -p rootfs/bin rootfs/proc rootfs/dev rootfs/sys; cp "$(command -v busybox)" rootfs/bin; runc spec --rootless
        python3 -c "
import json
c = json.load(open('config.json'))
c['process'].update(terminal=False, args=['/bin/busybox', 'echo', 'inside'])
c['linux']['namespaces'] = [n for n in c['linux']['namespaces'] if n['type'] != 'cgroup']
json.dump(c, open('config.json', 'w'))"
        runc --root "$PWD/state" run "a$$" | grep inside"""},
    "make": {"local": "-j2", "script": "printf 'all: a b\\na b:\\n\\t@echo $@\\n' > Makefile; make -j2"},
    "gdb": {"local": "runs and stops a program", "script": "gdb -batch -ex 'break _exit' -ex run true | grep Breakpoint"},
    "strace": {"local": "follows a program", "script": "strace -f -o t true; grep exit_group t"},
    "sshd": {"local": "its configuration test", "root": True, "script": "mkdir -p /run/sshd; sshd -t || test $? = 1"},
    "nginx": {"local": "a file, with sendfile off", "root": True, "prepare": page, "script":
              nginx("off") + "grep 'the page' got"},
    "nginx, sendfile on": {"file": "nginx", "local": "an empty file", "root": True, "prepare": page, "script":
                           nginx("on") + "test ! -s got", "notice": r"refused sendfile\(\) \(nginx, system_call\): "
                           ".* \\(nginx: `sendfile off`\\)"},
}
