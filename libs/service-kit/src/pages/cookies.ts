/** Attributes of every cookie of ours. On https the name says that no other host and no plain http has set it. */
export class Cookies {
  readonly #isHttps: boolean;

  constructor(publicUrl: string) {
    this.#isHttps = publicUrl.startsWith('https:');
  }

  read(header: string | undefined, name: string): string | null {
    const wanted = this.#name(name);
    const found = (header ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${wanted}=`));
    // Two of one name: one of them is somebody else's.
    return found.length === 1 ? found[0]!.slice(wanted.length + 1) : null;
  }

  write(name: string, value: string, maxAgeSeconds: number): string {
    const secure = this.#isHttps ? '; Secure' : '';
    return `${this.#name(name)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`;
  }

  clear(name: string): string {
    return this.write(name, '', 0);
  }

  #name(name: string): string {
    return this.#isHttps ? `__Host-switchyard_${name}` : `switchyard_${name}`;
  }
}
