// Call an API with the headers that cdp-credential-operator keeps fresh. Node 18 or newer, no packages.
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const dir = process.env.HEADERS_DIR ?? "/var/run/cdp"; // one file for each header

// Read the files anew for each call: the kubelet replaces them when the token is renewed.
async function headers() {
  const names = (await readdir(dir)).filter((name) => !name.startsWith(".."));
  const entries = names.map(async (name) => [name, (await readFile(`${dir}/${name}`, "utf8")).trim()]);
  return Object.fromEntries(await Promise.all(entries));
}

// A 401 is retried once: the token may have been replaced in between.
export async function get(url) {
  const answer = await fetch(url, { headers: await headers() });
  if (answer.status !== 401) return answer;
  await answer.arrayBuffer();
  await sleep(1000);
  return fetch(url, { headers: await headers() });
}

for (;;) {
  const answer = await get(process.env.API_URL);
  await answer.arrayBuffer();
  console.log(answer.status);
  await sleep(1000 * Number(process.env.INTERVAL ?? 10));
}
