#include "gateway/config_table.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define AT(member)        offsetof(struct config, member)
#define AT_ROOT(name)     offsetof(struct config_root, name)
#define AT_LISTENER(name) offsetof(struct config_listener, name)
#define AT_FEED(name)     offsetof(struct feed_def, name)
#define AT_PEER(name)     offsetof(struct config_peer, name)
#define AT_WEBHOOK(name)  offsetof(struct config_webhook, name)
#define LIST(type, name)  sizeof(struct type), AT(name), AT(name##_count)

const struct setting_section setting_sections[SETTING_SECTIONS] = {
    {"", "The instance", 0, 0, 0},
    {"tls", "TLS of the TAXII listener; without it the listener must be on loopback", 0, 0, 0},
    {"admin", "The admin listener: commands, health, metrics", 0, 0, 0},
    {"redis", "The store", 0, 0, 0},
    {"limits", "What one client may cost", 0, 0, 0},
    {"keys", "Signing keys", 0, 0, 0},
    {"log", "The log, on standard error", 0, 0, 0},
    {"listeners", "More addresses for members, each with its own demands",
     LIST(config_listener, listeners)},
    {"roots", "TAXII API roots", LIST(config_root, roots)},
    {"feeds", "Sources that are read on a schedule", LIST(feed_def, feeds)},
    {"peers", "TAXII servers that are read from or written to on a schedule",
     LIST(config_peer, peers)},
    {"webhooks", "URLs that are told of what is new in a collection",
     LIST(config_webhook, webhooks)},
};

#define KIB (1024U)
#define MIB (1024U * 1024U)
#define DAY (24U * 3600U)

/* clang-format off */
const struct setting setting_rows[] = {
    {"", "name", SETTING_TEXT, AT(name), "ISAO Gateway", 0, 0, NULL, false,
     "Name of the organisation, as members see it."},
    {"", "listen", SETTING_ADDRESS, AT(listen), "127.0.0.1:8443", 0, 0, NULL, false,
     "Address of the TAXII listener; 0.0.0.0 or [::] for all."},
    {"", "public_url", SETTING_PUBLIC, AT(public_url), NULL, 0, 0, NULL, false,
     "URL under which members reach this server, without a path; made from listen when left out."},
    {"", "id_urn", SETTING_URN, AT(id_urn), NULL, 0, 0, NULL, false,
     "Namespace of the ids this server makes, chosen once and never changed; made from public_url when left out."},

    {"", "trusted_proxies", SETTING_NETWORKS, AT(trusted_proxies), NULL, 0, 0, NULL, false,
     "Addresses and networks (127.0.0.1, 10.0.0.0/8) of the proxies in front: X-Forwarded-For counts from them alone."},
    {"", "vendor_aliases", SETTING_PATH, AT(vendor_aliases), NULL, 0, 0, NULL, false,
     "File of further names of vendors, NAME = OTHER NAME a line, for feeds and isg import: advisories under either name speak of the same products."},

    {"tls", "certificate", SETTING_PATH, AT(tls.certificate), NULL, 0, 0, NULL, false,
     "PEM file with the certificate and its chain."},
    {"tls", "key", SETTING_PATH, AT(tls.key), NULL, 0, 0, NULL, false,
     "PEM file with the private key of the certificate."},
    {"tls", "client_ca", SETTING_PATH, AT(tls.client_ca), NULL, 0, 0, NULL, false,
     "PEM file with the authorities that client certificates are checked against."},
    {"tls", "client_crl", SETTING_PATH, AT(tls.client_crl), NULL, 0, 0, NULL, false,
     "PEM file with the revocation lists of those authorities; read again on SIGHUP."},
    {"tls", "client_certificates", SETTING_CHOICE, AT(tls.client_certificates), "optional", 0, 0, "optional|none|required", false,
     "Whether the listener asks clients for a certificate; needs client_ca."},

    {"admin", "socket", SETTING_PATH, AT(admin.socket), "admin.sock", 0, 0, NULL, false,
     "Unix socket of the admin listener."},
    {"admin", "listen", SETTING_ADDRESS, AT(admin.listen), NULL, 0, 0, NULL, false,
     "Also listen on this loopback address."},

    {"redis", "url", SETTING_REDIS, AT(redis.url), NULL, 0, 0, NULL, false,
     "unix:PATH or redis://HOST:PORT[/DB]; a private Redis server is started when left out."},
    {"redis", "password_file", SETTING_PATH, AT(redis.password_file), NULL, 0, 0, NULL, false,
     "File with the password of Redis."},
    {"redis", "accept_plain", SETTING_ADDRESS, AT(redis.accept_plain), NULL, 0, 0, NULL, false,
     "HOST:PORT off loopback that may be reached without TLS, on a network you trust."},
    {"redis", "timeout_ms", SETTING_MS, AT(redis.timeout_ms), "4000", 50, 600000, NULL, false,
     "Time for one answer of Redis."},
    {"redis", "durability", SETTING_CHOICE, AT(redis.durability), "disk", 0, 0, "disk|second", false,
     "What the server gives, and a collection may demand: synced before it answers, or once a second."},
    {"redis", "replicas", SETTING_COUNT, AT(redis.replicas), "0", 0, 16, NULL, false,
     "Replicas that must acknowledge each write of a collection with durability replica."},

    {"limits", "max_content_length", SETTING_BYTES, AT(limits.max_content_length), "10 MiB", KIB, 256 * MIB, NULL, false,
     "Bytes of one request body; advertised to clients."},
    {"limits", "page_max", SETTING_COUNT, AT(limits.page_max), "1000", 1, 10000, NULL, false,
     "Objects in one page."},
    {"limits", "connections", SETTING_COUNT, AT(limits.connections), "1024", 1, 65536, NULL, false,
     "Connections open at once."},
    {"limits", "connections_per_address", SETTING_COUNT, AT(limits.connections_per_address), "256", 1, 65536, NULL, false,
     "Connections open at once from one address."},
    {"limits", "header_timeout_ms", SETTING_MS, AT(limits.header_timeout_ms), "10000", 100, 600000, NULL, false,
     "Time from the connection to the end of the request's headers."},
    {"limits", "body_timeout_ms", SETTING_MS, AT(limits.body_timeout_ms), "10000", 100, 600000, NULL, false,
     "Time for each 64 KiB of a request body."},
    {"limits", "idle_timeout_ms", SETTING_MS, AT(limits.idle_timeout_ms), "60000", 100, 3600000, NULL, false,
     "Time between two requests of one connection."},
    {"limits", "cache_bytes", SETTING_BYTES, AT(limits.cache_bytes), "128 MiB", 0, 3072 * MIB, NULL, false,
     "Memory of the page cache."},
    {"limits", "workers", SETTING_COUNT, AT(limits.workers), "0", 0, 256, NULL, false,
     "Threads for work that may wait; 0 chooses by the processor."},
    {"limits", "status_hours", SETTING_COUNT, AT(limits.status_hours), "48", 24, 8760, NULL, false,
     "Hours for which the status of a push is kept."},
    {"limits", "objects_now", SETTING_COUNT, AT(limits.objects_now), "2000", 1, 1000000, NULL, false,
     "Objects of a push that is completed within its request; a larger one is answered as pending."},
    {"limits", "requests_per_minute", SETTING_COUNT, AT(limits.requests_per_minute), "0", 0, 1000000, NULL, false,
     "Requests of one member in a minute, unless the member has a number of its own; 0 for no limit."},

    {"keys", "dir", SETTING_PATH, AT(keys.dir), "keys", 0, 0, NULL, false,
     "Folder of the key files."},
    {"keys", "passphrase_file", SETTING_PATH, AT(keys.passphrase_file), NULL, 0, 0, NULL, false,
     "File with the passphrase of the key files; only its owner may read it."},

    {"log", "level", SETTING_CHOICE, AT(log.level), "info", 0, 0, "debug|info|warn|error", false,
     "Least level that is written."},
    {"log", "format", SETTING_CHOICE, AT(log.format), "auto", 0, 0, "auto|json|text", false,
     "JSON lines, text, or text on a terminal only."},

    {"listeners", "address", SETTING_ADDRESS, AT_LISTENER(address), NULL, 0, 0, NULL, true,
     "Address of the listener."},
    {"listeners", "tls", SETTING_BOOL, AT_LISTENER(tls), "true", 0, 0, NULL, false,
     "With the certificate of the tls section; without it on loopback or behind a trusted proxy only."},
    {"listeners", "client_certificates", SETTING_CHOICE, AT_LISTENER(client_certificates), "optional", 0, 0, "optional|none|required", false,
     "As tls.client_certificates, for this listener."},

    {"roots", "path", SETTING_WORD, AT_ROOT(path), NULL, 0, 0, NULL, true,
     "First part of the root's URL: api is served at /api/."},
    {"roots", "title", SETTING_TEXT, AT_ROOT(title), NULL, 0, 0, NULL, true,
     "Title for people."},
    {"roots", "description", SETTING_TEXT, AT_ROOT(description), NULL, 0, 0, NULL, false,
     "More about it."},

    {"feeds", "name", SETTING_WORD, AT_FEED(name), NULL, 0, 0, NULL, true,
     "Name of the feed, in commands and metrics."},
    {"feeds", "url", SETTING_WEB, AT_FEED(url), NULL, 0, 0, NULL, true,
     "Where to read."},
    {"feeds", "format", SETTING_WORD, AT_FEED(format), NULL, 0, 0, NULL, true,
     "Format of the source: stix, kev, csaf, ..."},
    {"feeds", "collection", SETTING_TEXT, AT_FEED(collection), NULL, 0, 0, NULL, true,
     "Collection to write to: id, alias or title."},
    {"feeds", "interval", SETTING_SECONDS, AT_FEED(interval_s), "1h", 1, 30 * DAY, NULL, false,
     "Time between two runs."},
    {"feeds", "header_file", SETTING_PATH, AT_FEED(header_file), NULL, 0, 0, NULL, false,
     "File with lines \"Name: value\" that are sent with each request."},
    {"feeds", "ca", SETTING_PATH, AT_FEED(ca), NULL, 0, 0, NULL, false,
     "PEM file with the authority of the source's certificate; the system's when left out."},
    {"feeds", "client_certificate", SETTING_PATH, AT_FEED(client_certificate), NULL, 0, 0, NULL, false,
     "PEM file with the certificate shown to the source; goes with client_key."},
    {"feeds", "client_key", SETTING_PATH, AT_FEED(client_key), NULL, 0, 0, NULL, false,
     "PEM file with the private key of client_certificate."},
    {"feeds", "proxy", SETTING_PROXY, AT_FEED(proxy), NULL, 0, 0, NULL, false,
     "http://, https:// or socks5h://HOST:PORT to go through; the proxy looks names up. None when left out: the environment does not count."},
    {"feeds", "proxy_auth_file", SETTING_PATH, AT_FEED(proxy_auth_file), NULL, 0, 0, NULL, false,
     "File whose first line is USER:PASSWORD at the proxy."},
    {"feeds", "redirects", SETTING_CHOICE, AT_FEED(redirects), "auto", 0, 0, "auto|follow|never", false,
     "Redirects of the source: auto follows only where no header, key or certificate is sent; follow leaves these behind when scheme, host or port change."},
    {"feeds", "allow_private", SETTING_BOOL, AT_FEED(allow_private), "false", 0, 0, NULL, false,
     "Allow addresses of private networks and of this machine, for the host of url alone."},
    {"feeds", "allow_networks", SETTING_NETWORKS, AT_FEED(allow_networks), NULL, 0, 0, NULL, false,
     "Addresses and networks that are not public and may be reached all the same, also after a redirect."},
    {"feeds", "allow_hosts", SETTING_TEXT, AT_FEED(allow_hosts), NULL, 0, 0, NULL, false,
     "Further hosts, separated by commas, on which a CSAF provider's lists may name documents."},
    {"feeds", "columns", SETTING_PATH, AT_FEED(columns), NULL, 0, 0, NULL, false,
     "JSON file that says what the columns of a table or list mean, for format csv; see isg convert --help."},
    {"feeds", "warning_lists", SETTING_PATH, AT_FEED(warning_lists), NULL, 0, 0, NULL, false,
     "A warning list in the form of the MISP project, or a folder of them: a hit costs confidence and gets a label."},
    {"feeds", "networks", SETTING_NETWORKS, AT_FEED(networks), NULL, 0, 0, NULL, false,
     "The house of the sensors, for formats suricata, zeek and shadowserver: addresses in it never leave. Private networks when left out."},
    {"feeds", "timeout", SETTING_SECONDS, AT_FEED(timeout_s), "120s", 1, 3600, NULL, false,
     "Time for one answer."},
    {"feeds", "max_wire", SETTING_BYTES, AT_FEED(max_wire), "64 MiB", KIB, 3072 * MIB, NULL, false,
     "Bytes of one answer as sent."},
    {"feeds", "max_bytes", SETTING_BYTES, AT_FEED(max_bytes), "256 MiB", KIB, 3072 * MIB, NULL, false,
     "Bytes of one answer once it is unpacked."},
    {"feeds", "max_ratio", SETTING_COUNT, AT_FEED(max_ratio), "100", 2, 10000, NULL, false,
     "How many times larger an answer may become by unpacking."},
    {"feeds", "max_records", SETTING_COUNT, AT_FEED(max_records), "1000000", 1, 100000000, NULL, false,
     "Records of one run."},
    {"feeds", "max_depth", SETTING_COUNT, AT_FEED(max_depth), "64", 2, 64, NULL, false,
     "Levels of nesting in JSON."},
    {"feeds", "max_string", SETTING_BYTES, AT_FEED(max_string), "1 MiB", 256, 256 * MIB, NULL, false,
     "Bytes of one string, line or cell."},
    {"feeds", "shrink_percent", SETTING_COUNT, AT_FEED(shrink_percent), "10", 0, 100, NULL, false,
     "Where a source publishes its full state: when more of it (and at least 5 records) are missing, removals wait for a person or two more equal snapshots."},

    {"peers", "name", SETTING_WORD, AT_PEER(name), NULL, 0, 0, NULL, true,
     "Name of the peer, in commands and metrics."},
    {"peers", "direction", SETTING_CHOICE, AT_PEER(direction), NULL, 0, 0, "pull|push", true,
     "Read from the peer or write to it."},
    {"peers", "url", SETTING_WEB, AT_PEER(url), NULL, 0, 0, NULL, true,
     "Discovery, API root or collection URL."},
    {"peers", "from", SETTING_TEXT, AT_PEER(from), NULL, 0, 0, NULL, true,
     "Collection to read: there for pull, here for push."},
    {"peers", "collection", SETTING_TEXT, AT_PEER(collection), NULL, 0, 0, NULL, true,
     "Collection to write: here for pull, there for push."},
    {"peers", "member", SETTING_WORD, AT_PEER(member), NULL, 0, 0, NULL, false,
     "Of a push: the member here that the peer is; it gets what that member may see. Without it only what is CLEAR leaves."},
    {"peers", "user", SETTING_TEXT, AT_PEER(user), NULL, 0, 0, NULL, false,
     "User at the peer."},
    {"peers", "password_file", SETTING_PATH, AT_PEER(password_file), NULL, 0, 0, NULL, false,
     "File with that user's password."},
    {"peers", "header_file", SETTING_PATH, AT_PEER(route.header_file), NULL, 0, 0, NULL, false,
     "File with lines \"Name: value\" that are sent with each request."},
    {"peers", "ca", SETTING_PATH, AT_PEER(route.ca), NULL, 0, 0, NULL, false,
     "PEM file with the authority of the peer's certificate; the system's when left out."},
    {"peers", "client_certificate", SETTING_PATH, AT_PEER(route.client_certificate), NULL, 0, 0, NULL, false,
     "PEM file with the certificate shown to the peer; goes with client_key."},
    {"peers", "client_key", SETTING_PATH, AT_PEER(route.client_key), NULL, 0, 0, NULL, false,
     "PEM file with the private key of client_certificate."},
    {"peers", "proxy", SETTING_PROXY, AT_PEER(route.proxy), NULL, 0, 0, NULL, false,
     "http://, https:// or socks5h://HOST:PORT to go through; none when left out."},
    {"peers", "proxy_auth_file", SETTING_PATH, AT_PEER(route.proxy_auth_file), NULL, 0, 0, NULL, false,
     "File whose first line is USER:PASSWORD at the proxy."},
    {"peers", "interval", SETTING_SECONDS, AT_PEER(interval_s), "15m", 1, 30 * DAY, NULL, false,
     "Time between two runs; a push also goes as soon as this gateway took something in."},
    {"peers", "allow_private", SETTING_BOOL, AT_PEER(allow_private), "false", 0, 0, NULL, false,
     "Allow addresses of private networks and of this machine."},

    {"webhooks", "name", SETTING_WORD, AT_WEBHOOK(name), NULL, 0, 0, NULL, true,
     "Name of the webhook, in commands and metrics."},
    {"webhooks", "url", SETTING_WEB, AT_WEBHOOK(url), NULL, 0, 0, NULL, true,
     "Where to POST."},
    {"webhooks", "collection", SETTING_TEXT, AT_WEBHOOK(collection), NULL, 0, 0, NULL, true,
     "Collection whose new objects are told: id, alias or title."},
    {"webhooks", "member", SETTING_WORD, AT_WEBHOOK(member), NULL, 0, 0, NULL, false,
     "The member that the receiver is; it gets what that member may see. Without it only what is CLEAR leaves."},
    {"webhooks", "content", SETTING_CHOICE, AT_WEBHOOK(content), "objects", 0, 0, "objects|notice", false,
     "The objects themselves, or a notice that there are new ones and where to read them."},
    {"webhooks", "secret_file", SETTING_PATH, AT_WEBHOOK(secret_file), NULL, 0, 0, NULL, true,
     "File with the key of the signature: whsec_ and base64, or a text of at least 24 characters."},
    {"webhooks", "header_file", SETTING_PATH, AT_WEBHOOK(route.header_file), NULL, 0, 0, NULL, false,
     "File with lines \"Name: value\" that are sent with each request."},
    {"webhooks", "ca", SETTING_PATH, AT_WEBHOOK(route.ca), NULL, 0, 0, NULL, false,
     "PEM file with the authority of the receiver's certificate; the system's when left out."},
    {"webhooks", "client_certificate", SETTING_PATH, AT_WEBHOOK(route.client_certificate), NULL, 0, 0, NULL, false,
     "PEM file with the certificate shown to the receiver; goes with client_key."},
    {"webhooks", "client_key", SETTING_PATH, AT_WEBHOOK(route.client_key), NULL, 0, 0, NULL, false,
     "PEM file with the private key of client_certificate."},
    {"webhooks", "proxy", SETTING_PROXY, AT_WEBHOOK(route.proxy), NULL, 0, 0, NULL, false,
     "http://, https:// or socks5h://HOST:PORT to go through; none when left out."},
    {"webhooks", "proxy_auth_file", SETTING_PATH, AT_WEBHOOK(route.proxy_auth_file), NULL, 0, 0, NULL, false,
     "File whose first line is USER:PASSWORD at the proxy."},
    {"webhooks", "batch", SETTING_COUNT, AT_WEBHOOK(batch), "100", 1, 500, NULL, false,
     "Objects in one delivery."},
    {"webhooks", "interval", SETTING_SECONDS, AT_WEBHOOK(interval_s), "1m", 1, 30 * DAY, NULL, false,
     "How often to look for what other gateways on the same store took in; what this one takes in is sent at once."},
    {"webhooks", "allow_private", SETTING_BOOL, AT_WEBHOOK(allow_private), "false", 0, 0, NULL, false,
     "Allow addresses of private networks and of this machine, and plain HTTP."},
};
/* clang-format on */
const size_t setting_rows_count = sizeof setting_rows / sizeof setting_rows[0];
_Static_assert(sizeof setting_rows / sizeof setting_rows[0] <= SETTING_ROWS_MAX,
               "config_yaml.c keeps room for all rows");

size_t setting_first(size_t section, size_t *out_count)
{
    size_t first = 0;
    const char *name = setting_sections[section].name;
    while (first < setting_rows_count && strcmp(setting_rows[first].section, name) != 0)
        first++;
    size_t end = first;
    while (end < setting_rows_count && strcmp(setting_rows[end].section, name) == 0)
        end++;
    *out_count = end - first;
    return first;
}

static bool is_list(const char *section)
{
    for (size_t i = 0; i < SETTING_SECTIONS; i++)
        if (strcmp(setting_sections[i].name, section) == 0)
            return setting_sections[i].entry_bytes > 0;
    return false;
}

void setting_name(const struct setting *row, size_t item, char *out, size_t size)
{
    if (is_list(row->section))
        (void)snprintf(out, size, "%s[%zu].%s", row->section, item, row->key);
    else
        (void)snprintf(out, size, "%s%s%s", row->section, row->section[0] != '\0' ? "." : "",
                       row->key);
}

void setting_env_name(const struct setting *row, char *out, size_t size)
{
    (void)snprintf(out, size, "ISG_%s%s%s", row->section, row->section[0] != '\0' ? "_" : "",
                   row->key);
    for (char *p = out; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
}

bool setting_is_number(enum setting_type type)
{
    return type == SETTING_COUNT || type == SETTING_BYTES || type == SETTING_MS ||
           type == SETTING_SECONDS;
}

const char *setting_type_name(enum setting_type type)
{
    static const char *const names[] = {
        [SETTING_TEXT] = "text",         [SETTING_WORD] = "word",
        [SETTING_PATH] = "path",         [SETTING_ADDRESS] = "address",
        [SETTING_WEB] = "URL",           [SETTING_PUBLIC] = "URL",
        [SETTING_REDIS] = "URL",         [SETTING_URN] = "URN",
        [SETTING_CHOICE] = "choice",     [SETTING_COUNT] = "number",
        [SETTING_BYTES] = "bytes",       [SETTING_MS] = "milliseconds",
        [SETTING_SECONDS] = "time",      [SETTING_BOOL] = "true/false",
        [SETTING_NETWORKS] = "networks", [SETTING_PROXY] = "URL",
    };
    return names[type];
}
