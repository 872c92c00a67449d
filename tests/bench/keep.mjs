/* Parts of the measurement about what a store keeps: files, backups, millions of records. */
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { CONSUMPTION, median, memory, mib, ms, ratioOf, row } from "./lab.mjs";

const MB = 1e6;
const PIECE = Buffer.alloc(1 << 20);
for (let i = 0; i < PIECE.length; i += 4) PIECE.writeUInt32LE((i * 2654435761) >>> 0, i);

const mbPerSecond = (x) => `${Math.round(x).toLocaleString("en")} MB/s`;
const now = () => Number(process.hrtime.bigint()) / 1e9;

function* pieces(bytes) {
  for (let left = bytes; left > 0; left -= PIECE.length)
    yield left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
}

/** A file of so many bytes, synced; the seconds that it took. */
function writeSynced(path, bytes) {
  const begun = now();
  const fd = openSync(path, "wx", 0o600);
  for (const piece of pieces(bytes)) writeSync(fd, piece);
  fsyncSync(fd);
  closeSync(fd);
  return now() - begun;
}

/** Send a document of so many bytes; the answer, and the seconds until it came: it is on the disk by then. */
function upload(server, bytes, title) {
  const edge = "a-measured-file";
  const head = Buffer.from(
    `--${edge}\r\nContent-Disposition: form-data; name="title"\r\n\r\n${title}\r\n` +
      `--${edge}\r\nContent-Disposition: form-data; name="file"; filename="measured.bin"\r\n` +
      "Content-Type: application/octet-stream\r\n\r\n",
  );
  const tail = Buffer.from(`\r\n--${edge}--\r\n`);
  const headers = {
    ...Object.fromEntries(server.headers.map((line) => line.split(/: (.*)/s, 2))),
    "Content-Type": `multipart/form-data; boundary=${edge}`,
    "Content-Length": head.length + bytes + tail.length,
  };
  const begun = now();
  return new Promise((resolve, reject) => {
    const sent = request(
      { port: server.port, host: "127.0.0.1", method: "POST", path: "/api/documents", headers },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part) => (text += part));
        answer.on("end", () => {
          if (answer.statusCode >= 300) reject(new Error(`upload: ${answer.statusCode} ${text}`));
          else resolve({ took_s: now() - begun, document: JSON.parse(text) });
        });
      },
    );
    sent.on("error", reject);
    const queue = [head, ...pieces(bytes), tail];
    const push = () => {
      while (queue.length > 0) if (!sent.write(queue.shift())) return sent.once("drain", push);
      sent.end();
    };
    push();
  });
}

/** nginx out of Debian's package, unpacked beside; null when it cannot be had. */
async function serveNginx(lab, file) {
  const dir = join(lab.work, "nginx");
  mkdirSync(dir);
  const got = spawnSync("sh", ["-c", "apt-get download nginx && dpkg -x nginx_*.deb ."], {
    cwd: dir,
    encoding: "utf8",
  });
  if (got.status !== 0) return null;
  const port = 20000 + (process.pid % 20000);
  const conf = join(dir, "nginx.conf");
  writeFileSync(
    conf,
    `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.txt;
     events {} http { access_log off; sendfile on; client_body_temp_path ${dir}/a; proxy_temp_path ${dir}/b;
     fastcgi_temp_path ${dir}/c; uwsgi_temp_path ${dir}/d; scgi_temp_path ${dir}/e;
     server { listen 127.0.0.1:${port}; root ${file.dir}; } }`,
  );
  const child = spawn(join(dir, "usr/sbin/nginx"), ["-c", conf, "-p", dir, "-e", `${dir}/error.txt`], {
    stdio: "ignore",
  });
  lab.daemons.add(child);
  const ended = new Promise((resolve) => child.once("close", resolve)).then(() =>
    lab.daemons.delete(child),
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  const stop = () => {
    child.kill("SIGTERM");
    return ended;
  };
  return child.exitCode === null ? { port, pid: child.pid, stop, headers: [] } : null;
}

/** A file of 100 MB in and out, beside the disk and nginx; and the memory that it took. */
export async function files(lab) {
  const bytes = (lab.quick ? 20 : 100) * MB;
  const rounds = lab.quick ? 3 : 9;
  const plain = { dir: lab.folder() };
  writeSynced(join(plain.dir, "measured.bin"), bytes);
  const store = lab.makeStore();
  const server = await lab.serve(store);
  await lab.signIn(server, store.passphrase);
  const first = await upload(server, bytes, "the first");
  const rested = memory(server.pid).rss;

  const up = { disk: [], ours: [] };
  for (let i = 0; i < rounds; i++) {
    const path = join(plain.dir, "written.bin");
    up.disk.push(bytes / MB / writeSynced(path, bytes));
    unlinkSync(path);
    up.ours.push(bytes / MB / (await upload(server, bytes, `number ${i}`)).took_s);
  }
  const nginx = await serveNginx(lab, plain);
  const ways = { ours: () => lab.load(server, 1, `/api/documents/${first.document.id}/content`) };
  if (nginx) ways.nginx = () => lab.load(nginx, 1, "/measured.bin");
  const down = lab.alternate(rounds, ways);
  const most = Number(
    readFileSync(`/proc/${server.pid}/status`, "utf8").match(/^VmHWM:\s*(\d+)/m)[1],
  );
  const grown = memory(server.pid).rss - rested;
  await Promise.all([server.stop(), nginx?.stop()]);
  lab.figures.files = { up, down, rested, most, grown };
  const rate = (name) => down[name].map((run) => (run.per_s * bytes) / MB);
  const [ours, sent] = [median(rate("ours")), median(up.ours)];
  const size = `${bytes / MB} MB, sealed`;
  return [
    row(
      `a file of ${size}: up with sync, against the disk`,
      mbPerSecond(median(up.disk)),
      mbPerSecond(sent),
      ratioOf(up.ours, up.disk),
      "≥ 300 MB/s, 0.35 ×",
      sent >= 300 && ratioOf(up.ours, up.disk) >= 0.35,
    ),
    row(
      `a file of ${size}: down, against nginx`,
      nginx ? mbPerSecond(median(rate("nginx"))) : "it could not be fetched",
      mbPerSecond(ours),
      nginx ? ratioOf(rate("ours"), rate("nginx")) : null,
      "≥ 500 MB/s, 0.40 ×",
      ours >= 500 && (!nginx || ratioOf(rate("ours"), rate("nginx")) >= 0.4),
    ),
    row(
      `a file of ${size}: memory after ${2 * rounds} of them, against after one`,
      mib(rested),
      mib(rested + grown),
      null,
      `+ ≤ 4 MiB (${grown.toFixed(1)})`,
      grown <= 4,
    ),
  ];
}

/** A store of ten years and 100 MB of files: its backup, restored; beside copying the folder with sync. */
export async function backups(lab) {
  const store = lab.tenYears();
  const server = await lab.serve(store);
  await lab.signIn(server, store.passphrase);
  const { document } = await upload(server, (lab.quick ? 20 : 100) * MB, "beside the records");
  await server.stop();
  const dir = lab.folder();
  const file = join(dir, "backup.age");
  const size = () => statSync(file).size / MB;
  const runs = lab.alternate(lab.quick ? 2 : 7, {
    copy: () => lab.copySynced(store.dir, join(dir, "copy")),
    backup: () =>
      lab.spend("traboule", "backup", store.dir, "-o", file, "--key-file", store.key).wall_s,
    restore: () => {
      const to = join(dir, "restored");
      rmSync(to, { recursive: true, force: true });
      return lab.spend(
        ...["traboule", "restore", file, to, "--recovery-code-file", store.code],
        ...["--passphrase-file", store.secret, "--kdf-memory-mib", "64"],
      ).wall_s;
    },
  });
  lab.json("traboule", "documents", store.dir, "delete", document.id, "--key-file", store.key, "--json");
  lab.figures.backup = runs;
  const rate = (name) => runs[name].map((took) => size() / took);
  const line = (what, name) =>
    row(
      what,
      mbPerSecond(median(rate("copy"))),
      mbPerSecond(median(rate(name))),
      ratioOf(rate(name), rate("copy")),
    );
  return [
    line("backup of ten years and 100 MB of files, written and read back, against copying with sync", "backup"),
    line("… restored, sealed again and checked", "restore"),
  ];
}

/** A load curve by five minutes, written piece by piece. */
function writeMinutes(path, count) {
  const fd = openSync(path, "wx", 0o600);
  let text =
    "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;" +
    "Etape metier;Unite;Pas en minutes\n" +
    "01234567890123;Courbe de charge;01/01/2004;01/01/2005;Energie active;Consommation;Comptage Brut;W;5\n" +
    "Horodate;Valeur\n";
  const start = Date.UTC(2004, 0, 1);
  for (let i = 1; i <= count; i++) {
    const at = new Date(start + i * 300_000).toISOString().slice(0, 19);
    text += `${at}+00:00;${12 * (1 + ((i * 7919) % 97))}\n`;
    if (text.length > 1 << 20 || i === count) {
      writeSync(fd, text);
      text = "";
    }
  }
  closeSync(fd);
}

/** What a store of ten million records answers, beside one of a million: the same questions about the same days. */
export async function millions(lab) {
  const counts = lab.quick ? [100_000, 1_000_000] : [1_000_000, 10_000_000];
  const servers = [];
  const sizes = [];
  for (const count of counts) {
    const file = join(lab.folder(), "minutes.csv");
    writeMinutes(file, count);
    const store = lab.makeStore();
    const told = lab.json("traboule", "import", store.dir, file, "--key-file", store.key, "--json");
    rmSync(file);
    if (told.files[0].new !== count) throw new Error(`${told.files[0].new} of ${count} were new`);
    sizes.push(statSync(join(store.dir, "vault.db")).size / MB);
    const server = await lab.serve(store);
    await lab.signIn(server, store.passphrase);
    servers.push(server);
  }
  const path = `/api/records/${CONSUMPTION}`;
  const body = '{"records":[{"start":"@start@","end":"@end@","value":12}]}';
  const questions = {
    "a day of five minutes": { path: `${path}?from=@day@&to=@morrow@` },
    "a day by hour": { path: `${path}?step=PT1H&from=@day@&to=@morrow@` },
    "what the store has (/api/datasets)": { path: "/api/datasets" },
    "one durable record": { path, body },
  };
  const rows = [];
  lab.figures.millions = { counts, sizes };
  for (const [words, { path: at, ...options }] of Object.entries(questions)) {
    const runs = lab.alternate(lab.quick ? 3 : 7, {
      small: () => lab.load(servers[0], 4, at, options),
      large: () => lab.load(servers[1], 4, at, options),
    });
    lab.figures.millions[words] = runs;
    const [small, large] = [runs.small, runs.large].map((list) => list.map((r) => r.p99_ms));
    const ratio = ratioOf(large, small);
    rows.push(
      row(
        `${counts[1].toLocaleString("en")} records against ${counts[0].toLocaleString("en")}: ${words}, 4 clients, p99`,
        ms(median(small)),
        ms(median(large)),
        ratio,
        "≤ 2 ×",
        ratio <= 2,
      ),
    );
  }
  await Promise.all(servers.map((server) => server.stop()));
  return rows;
}
