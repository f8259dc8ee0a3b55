/* The command table, the option parser, help, and the helpers every command uses. */
#include "gateway/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stix/base/utf8.h"

static int cli_help(struct cli *cli);

static const struct cli_command commands[] = {
    {"init", "make a new instance directory",
     "DIR --listen HOST:PORT [--name N] [--public-url U]\n\n"
     "Writes the configuration, a TLS certificate with its CA file DIR/tls/ca.pem, signing keys\n"
     "and secrets; the collections `indicators`, `advisories` and `submissions` are made at the\n"
     "first start.\n\n"
     "  isg init /var/lib/isg --listen 127.0.0.1:8443 --name \"Example ISAO\"\n",
     cli_init},
    {"serve", "run the service in the foreground",
     "-C DIR\n\nStops gracefully on SIGTERM and SIGINT; SIGHUP reads the certificate again.\n\n"
     "  isg serve -C /var/lib/isg\n",
     cli_serve},
    {"wait", "wait until the service answers",
     "-C DIR [--timeout SECONDS]\n\nExit 0 when ready, 75 when not in time (default 30).\n\n"
     "  isg wait -C /var/lib/isg --timeout 60\n",
     cli_wait},
    {"member", "members: who may push and pull",
     "add NAME --kind K [--password-file F] [--title T] [--tlp-max L] [--certificate C]\n"
     "    [--requests-per-minute N|default]\n"
     "set NAME [options of add] [--keep-old TIME] [--add-certificate C] [--remove-certificate C]\n"
     "list | show NAME | suspend NAME | resume NAME\n"
     "token NAME [--label L] [--expires TIME] | token NAME --list | token NAME --revoke ID|LABEL\n\n"
     "Kinds: hospital home_care mdm component_supplier researcher isao_staff peer_isao\n"
     "coordinator regulator public. A token is printed once. A new password ends the one before at\n"
     "once, or after the time of --keep-old. A certificate C is a SHA-256 fingerprint, a PEM file,\n"
     "or with --issuer DN the subject alternative name it must carry (DNS: URI: EMAIL: IP:); DN as\n"
     "`openssl x509 -noout -issuer -nameopt RFC2253,-esc_msb` prints it, behind \"issuer=\", with EMAIL\n"
     "for emailAddress. That issuer must itself be in tls.client_ca.\n\n"
     "  isg member add st-mary --kind hospital --password-file pw\n"
     "  isg member set st-mary --password-file pw.new --keep-old 24h\n"
     "  isg member set st-mary --add-certificate DNS:siem.st-mary.example --issuer 'CN=St Mary CA'\n"
     "  isg member token pumpmaker --label siem --expires 90d\n"
     "  isg member token pumpmaker --revoke siem\n",
     cli_member},
    {"collection", "collections: what is shared with whom",
     "add --title T [--id UUID] [--alias A] [--description D] [--root R]\n"
     "    --handling relay|submission [--publish-to ID] [--default-tlp L] --read R --write R\n"
     "    [--durability disk|replica|second] [--ttl 90d|none]\n"
     "list | set NAME [options of add]\n\n"
     "A right is all, none, or a comma-separated list of member names, staff and kind:NAME.\n"
     "What was added longer ago than --ttl is erased; nothing is unless it is said.\n\n"
     "  isg collection add --title Sightings --alias sightings --handling relay \\\n"
     "      --read all --write kind:hospital\n",
     cli_collection},
    {"import", "read feed files into a collection of the running service",
     "--format F --collection C [--source NAME] [--dry-run] FILE...\n"
     "    [--columns FILE] [--networks N,N] [--warning-lists PATH] [--vendor-aliases FILE]\n"
     "    [--exercise]\n\n"
     "Formats and the options of the second line: see `isg convert --help`. A file that is cut\n"
     "short is refused whole and changes nothing. A folder stands for the .json files in it (links\n"
     "are refused), - for standard input. --source names who hands in: a member speaks for itself,\n"
     "and only it and staff see what is marked RED.\n"
     "The report counts records, and objects that were added, changed (a newer version), the\n"
     "same and refused, with the first reasons.\n\n"
     "  isg import --format kev --collection indicators known_exploited_vulnerabilities.json\n"
     "  isg import --format suricata --collection sightings --source st-mary eve.json\n"
     "  isg import --format csv --columns clinic.json --collection indicators - < table.csv\n",
     cli_import},
    {"convert", "turn a feed file into a STIX 2.1 bundle, without a service",
     "--format F [--id-urn URN] [-o FILE] [FILE]\n"
     "    [--columns FILE] [--source NAME] [--networks N,N] [--warning-lists PATH]\n"
     "    [--vendor-aliases FILE] [--exercise]\n\n"
     "Formats: kev nvd epss csaf stix; tables and lists urlhaus threatfox feodo sslbl spamhaus\n"
     "dshield openphish zeek-intel csv list; what sensors saw, suricata zeek, and shadowserver. A list\n"
     "that gives no times is valid from the beginning of this day (UTC) on.\n"
     "The same file gives the same bundle. Ids and creator are those of the instance in DIR\n"
     "when there is one; --id-urn names another namespace. Without FILE, or with -, it reads\n"
     "standard input; a gzip file is unpacked. Of others' STIX what breaks a rule stays out (exit\n"
     "code 65). What was left out, and why, is told on standard error, with --json as an object.\n\n"
     "  --columns        a table's own columns: a JSON file with its \"name\" and \"columns\",\n"
     "                   {\"value\": \"What\", \"type\": \"Kind\", \"tags\": [\"Notes\", 7]}: names in the\n"
     "                   header, or positions. More settings: delimiter comments tail width form\n"
     "                   type types only not organisation home marking confidence valid_days\n"
     "                   state, time (\"%d.%m.%Y %H:%M\") zone (\"+02:00\"). Without it csv goes by usual names in the header\n"
     "  --source         names the sensor, and who hands in a list, in ids\n"
     "  --networks       the house of the sensors, private networks by default: what has both\n"
     "                   ends in it, or none, stays out\n"
     "  --warning-lists  lists of the MISP project: a hit costs confidence and gets a label\n"
     "  --vendor-aliases names of vendors, NAME = OTHER NAME a line, in place of those that the\n"
     "                   instance's setting vendor_aliases names\n"
     "  --exercise       addresses and names set aside for documentation count\n\n"
     "  isg convert --format csaf advisory.json -o bundle.json\n",
     cli_convert},
    {"export", "write what a member may see: a signed bundle, or a form of other tools",
     "--collection C [--as MEMBER] [--format F] [--type T] [--warning-lists PATH]\n"
     "    [--all-versions] -o FILE\n\n"
     "stix (default) writes FILE, FILE.objects, FILE.jws and FILE.minisig. The other formats\n"
     "hold the indicators in force whose pattern is a plain value; what is left out is\n"
     "counted by reason on standard error and in --json:\n\n"
     "  csv       a table that is safe to open in a spreadsheet\n"
     "  list      a value a line; --type ipv4 ipv6 domain url md5 sha1 sha256 sha512 email\n"
     "  suricata  rules that alert, hashes in FILE.md5, FILE.sha1 and FILE.sha256\n"
     "  zeek      a file for Zeek's intelligence framework\n"
     "  rpz       a DNS response policy zone\n"
     "  misp      FILE is a folder: a MISP feed with its manifest.json\n"
     "  ecs       lines of JSON in the Elastic Common Schema\n\n"
     "Private and special addresses and names are never written; --warning-lists names a list\n"
     "in the form of the MISP project, or a folder of them, with further ones: your own names.\n\n"
     "  isg export --collection indicators --as pumpmaker --format stix -o feed.json\n"
     "  isg export --collection indicators --as st-mary --format rpz -o isao.zone\n",
     cli_export},
    {"verify", "check an exported bundle and its signatures",
     "FILE [--keys F] [--type T] [--at TIME]\n\n"
     "Prints OK or the code of the first check that fails. Keys: PEM, JWK or minisign public\n"
     "key; default DIR/public/isao.pem. FILE is a bundle with its companions, or a .jws that\n"
     "stands alone; T is the kind of statement it must be (bundle head keys receipt ...).\n"
     "--at checks an archived file as of then.\n\n"
     "  isg verify feed.json --keys isao.pem\n",
     cli_verify},
    {"key", "the keys that sign what leaves",
     "fingerprint | export [--form pem|minisign|jwk] | list\n\n"
     "  isg key export --form minisign > isao.minisign.pub\n",
     cli_key},
    {"validate", "check STIX 2.1 objects and bundles",
     "[--strict] [--stix 2.0] FILE...\n"
     "--jsonl -      one JSON value a line in, one verdict a line out\n\n"
     "Exit 0 when all is valid, 1 when not. --strict refuses what the standard only advises\n"
     "against; --stix 2.0 judges by the rules of that version (default 2.1). A value is an\n"
     "object, a bundle or a list; \"more\" counts findings beyond the first 1000.\n\n"
     "  isg validate bundle.json\n"
     "  isg validate --jsonl - < objects.ndjson\n",
     cli_validate},
    {"pattern", "check, match and compare STIX patterns",
     "check PATTERN | match PATTERN FILE | equiv PATTERN PATTERN | print PATTERN\n"
     "    [--stix 2.0]\n"
     "check --jsonl - | match --jsonl - | equiv --jsonl -\n\n"
     "A line in, a line out: \"PATTERN\", {\"pattern\":P,\"observations\":[...]}, or\n"
     "{\"a\":P,\"b\":P}; the objects may name a \"version\". print shows the normal form.\n\n"
     "FILE, and observations, hold one of these or a list of them:\n"
     "  an observed-data with objects (2.0, and 2.1 of old) or object_refs\n"
     "  a bundle or envelope with observed-data and the observables they refer to\n"
     "  an observable, for an observed-data anywhere in the list to refer to\n"
     "number_observed counts. Without any observed-data each observable in no bundle is an\n"
     "observation without times, as is a container {\"0\":{\"type\":...}}: a pattern that asks for\n"
     "times is then refused. What is wrong gets {\"error\":...} with its place. A pattern is of 2.1; of\n"
     "2.0 when it can only be that, no version is named and no observation is of 2.1.\n\n"
     "  isg pattern check \"[ipv4-addr:value = '198.51.100.7']\"\n"
     "  isg pattern match \"[file:size > 5] REPEATS 2 TIMES\" observed.json\n",
     cli_pattern},
    {"id", "compute the deterministic id of observables",
     "--jsonl -\n\nAn observable without id a line in, {\"id\":...} a line out.\n\n"
     "  echo '{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.7\"}' | isg id --jsonl -\n",
     cli_id},
    {"canon", "print the canonical (RFC 8785) form of a JSON file",
     "FILE\n\n  isg canon object.json | sha256sum\n", cli_canon},
    {"feed", "sources that are pulled on a schedule",
     "add NAME --url U --format F --collection C [--interval 1h] [--header-file F] [--ca F]\n"
     "    [--client-certificate F --client-key F] [--proxy U [--proxy-auth-file F]]\n"
     "    [--redirects auto|follow|never] [--allow-private] [--allow-networks N] [--allow-hosts H]\n"
     "    [--timeout T] [--max-wire B] [--max-bytes B] [--max-ratio N] [--max-records N] [--max-depth N]\n"
     "    [--max-string B] [--shrink-percent P] [--columns FILE] [--warning-lists PATH]\n"
     "    [--networks N,N]\n"
     "list | status [NAME] | run NAME [--dry-run] [--accept-shrink] | remove NAME\n\n"
     "An option of add is the setting of that name: see section feeds of `isg config reference`.\n"
     "A feed of that name that was added before is replaced, with all its settings.\n\n"
     "nvd is asked in windows and pages; its key is a line \"apiKey: KEY\" in --header-file. epss\n"
     "is the API where the URL ends with /epss, else the table of a day; YYYY-MM-DD in the URL is\n"
     "today, or yesterday as long as today's is not there.\n\n"
     "  isg feed add kev --url https://feeds.example/kev.json --format kev \\\n"
     "      --collection advisories --interval 1h\n"
     "  isg feed add nvd --url https://feeds.example/rest/json/cves/2.0 --format nvd \\\n"
     "      --collection advisories --interval 2h --header-file nvd.key\n",
     cli_feed},
    {"peer", "other TAXII servers: pull from them, push to them",
     "pull|push --url U --user N --password-file F --from ID --collection C [--member M]\n"
     "    [--header-file F] [--ca F] [--client-certificate F --client-key F] [--proxy URL]\n"
     "    [--proxy-auth-file F] [--allow-private] [--dry-run]\n"
     "list | status [NAME] | run NAME [--dry-run]\n\n"
     "pull reads collection ID there into C here; push reads ID here into C there: what member M may\n"
     "see, without M only what is CLEAR; --dry-run names each object. Peers of the configuration run\n"
     "on a schedule, and now by run; status shows their backlog and last error.\n\n"
     "  isg peer pull --url https://isao.example/api/ --user st-mary --password-file pw \\\n"
     "      --from indicators --collection indicators\n"
     "  isg peer run isao-inbox --dry-run --json\n",
     cli_peer},
    {"webhook", "URLs that are told of what is new",
     "list | status [NAME] | run NAME [--dry-run]\n\n"
     "Webhooks stand in the configuration (isg config reference). Each delivery is signed, and has a\n"
     "key that stays the same however often it is tried; status shows what is left and the last error.\n\n"
     "  isg webhook status --json\n"
     "  isg webhook run siem --dry-run\n",
     cli_webhook},
    {"status", "what the running service holds", "\n\n  isg status --json\n", cli_status},
    {"doctor", "check the service's surroundings and say what to do",
     "\n\nExit 1 when something is wrong.\n\n  isg doctor\n", cli_doctor},
    {"check-config", "read the configuration and say whether it is good",
     "[FILE]\n\n  isg check-config -C /var/lib/isg\n", cli_check_config},
    {"config", "example | show | reference",
     "example     every setting with its meaning\n"
     "show        as read, with origin\n"
     "reference   the table of settings\n\n  isg config example > isg.yaml\n",
     cli_config},
    {"help", "what a command does, with examples", "[COMMAND]\n\n  isg help import\n", cli_help},
};

enum { COMMANDS = sizeof commands / sizeof commands[0], NAMES_MAX = 1024, USAGE_BYTES = 1024 };

static void print_overview(FILE *to)
{
    (void)fprintf(to,
                  "isg " ISG_VERSION ": ISAO Gateway, medical-device threat sharing over STIX 2.1 "
                  "and TAXII 2.1\n\nusage: isg COMMAND [-C DIR] [--json] ...\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(to, "  %-13s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(to, "\n`isg COMMAND --help` shows arguments and examples. DIR is the instance "
                      "directory\n(default $ISG_DIR, else /var/lib/isg).\n");
}

static void print_help(const struct cli *cli)
{
    printf("isg %s: %s\n\nusage: isg %s %s", cli->command->name, cli->command->summary,
           cli->command->name, cli->command->usage);
}

static int cli_help(struct cli *cli)
{
    int code = cli_options(cli, NULL, 0);
    if (code == 0)
        code = cli_expect(cli, 0, 1);
    if (code != 0)
        return code;
    if (cli->args_count == 0) {
        print_overview(stdout);
        return 0;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, cli->args[0]) == 0) {
            cli->command = &commands[i];
            print_help(cli);
            return 0;
        }
    return cli_usage(cli, "no such command: %s", cli->args[0]);
}

static int print_version(bool json)
{
    if (json)
        puts("{\"name\":\"isg\",\"version\":\"" ISG_VERSION
             "\",\"stix\":\"2.1\",\"taxii\":\"2.1\"}");
    else
        puts("isg " ISG_VERSION " (STIX 2.1, TAXII 2.1)");
    return 0;
}

/* ---- options ---- */

int cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;
    char text[USAGE_BYTES];
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cli_line(stderr, "isg %s: %s (see `isg %s --help`)", cli->command->name, text,
             cli->command->name);
    return CLI_USAGE;
}

int cli_fail(const struct cli *cli, const struct isg_fail *why)
{
    const char *text = why->text[0] != '\0' ? why->text : isg_strerror(why->code);
    (void)fprintf(stderr, "isg %s: %s", cli->command->name, text);
    if (why->path[0] != '\0')
        (void)fprintf(stderr, " at %s", why->path);
    if (why->rule[0] != '\0')
        (void)fprintf(stderr, " [%s]", why->rule);
    (void)fputc('\n', stderr);
    return cli->wrong_config ? CLI_CONFIG : isg_err_exit(why->code);
}

int cli_config_load(struct cli *cli, const char *file, struct config **out, struct isg_fail *why)
{
    int err =
        file != NULL ? config_load_file(file, cli->dir, out, why) : config_load(cli->dir, out, why);
    cli->wrong_config = err == ISG_EUSAGE;
    return err;
}

static const struct cli_option *option_find(const struct cli_option *options, size_t n,
                                            struct isg_str name)
{
    for (size_t i = 0; i < n; i++)
        if (isg_str_is(name, options[i].name))
            return &options[i];
    return NULL;
}

/* One option at argv[*at]; moves *at over a value that is a word of its own. */
static int option_take(struct cli *cli, const struct cli_option *options, size_t n, int *at)
{
    const char *word = cli->argv[*at];
    const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    struct isg_str name = {word, equals != NULL ? (size_t)(equals - word) : strlen(word)};
    const struct cli_option *option = option_find(options, n, name);
    if (option == NULL)
        return cli_usage(cli, "unknown option %s", word);
    if (option->flag != NULL) {
        if (equals != NULL)
            return cli_usage(cli, "%s takes no value", option->name);
        *option->flag = true;
        return 0;
    }
    if (equals == NULL && *at + 1 >= cli->argc)
        return cli_usage(cli, "%s wants a value", option->name);
    *option->value = equals != NULL ? equals + 1 : cli->argv[++*at];
    return 0;
}

int cli_options(struct cli *cli, const struct cli_option *options, size_t n)
{
    const struct cli_option everywhere[] = {{"-C", NULL, &cli->dir},
                                            {"--json", &cli->json, NULL},
                                            {"--help", &cli->help, NULL},
                                            {"-h", &cli->help, NULL}};
    const size_t common_count = sizeof everywhere / sizeof everywhere[0];
    bool only_args = false;
    cli->args = calloc((size_t)cli->argc + 1, sizeof *cli->args);
    if (cli->args == NULL)
        return isg_err_exit(ISG_ENOMEM);
    for (int at = 0; at < cli->argc; at++) {
        const char *word = cli->argv[at];
        if (only_args || word[0] != '-' || word[1] == '\0') {
            cli->args[cli->args_count++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_args = true;
            continue;
        }
        bool common = option_find(everywhere, common_count, isg_str_of(word)) != NULL;
        int code = common ? option_take(cli, everywhere, common_count, &at)
                          : option_take(cli, options, n, &at);
        if (code != 0)
            return code;
    }
    if (cli->help)
        print_help(cli);
    return cli->help ? -1 : 0;
}

int cli_expect(const struct cli *cli, size_t least, size_t most)
{
    if (cli->args_count < least)
        return cli_usage(cli, "an argument is missing");
    if (cli->args_count > most)
        return cli_usage(cli, "too many arguments: %s", cli->args[most]);
    return 0;
}

/* The next word from *at on that is neither an option nor -C's value; false when there is none. */
static bool next_word(int argc, char **argv, int *at)
{
    for (; *at < argc; (*at)++) {
        if (strcmp(argv[*at], "-C") == 0)
            (*at)++;
        else if (argv[*at][0] != '-')
            return true;
    }
    return false;
}

/*
 * Where a command's name stands: the first word that is one, so that options with values may come
 * before it. *out_first is the first word of all, for the message when none is.
 */
static const struct cli_command *command_among(const struct cli_command *list, size_t n, int argc,
                                               char **argv, int *out_at, const char **out_first)
{
    *out_first = NULL;
    for (int at = 0; next_word(argc, argv, &at); at++) {
        *out_first = *out_first == NULL ? argv[at] : *out_first;
        for (size_t i = 0; i < n; i++)
            if (strcmp(argv[at], list[i].name) == 0) {
                *out_at = at;
                return &list[i];
            }
    }
    return NULL;
}

static void take_word(int *argc, char **argv, int at)
{
    memmove(&argv[at], &argv[at + 1], (size_t)(*argc - at) * sizeof *argv);
    (*argc)--;
}

int cli_family(struct cli *cli, const struct cli_command *family, size_t n)
{
    int at = 0;
    const char *first = NULL;
    const struct cli_command *command = command_among(family, n, cli->argc, cli->argv, &at, &first);
    if (command != NULL) {
        take_word(&cli->argc, cli->argv, at);
        return command->run(cli);
    }
    if (first != NULL)
        return cli_usage(cli, "no such command: %s", first);
    int code = cli_options(cli, NULL, 0);
    if (code != 0)
        return code;
    struct isg_buf names;
    isg_buf_init(&names, NAMES_MAX);
    for (size_t i = 0; i < n; i++)
        isg_buf_printf(&names, " %s", family[i].name);
    code = cli_usage(cli, "which one?%s", names.p != NULL ? names.p : "");
    isg_buf_done(&names);
    return code;
}

/* ---- output ---- */

void cli_line(FILE *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : malloc((size_t)n + 1);
    if (text == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    isg_utf8_printable(text);
    (void)fprintf(to, "%s\n", text);
    free(text);
}

void cli_print(struct isg_str text)
{
    (void)fwrite(text.p, 1, text.n, stdout);
    (void)putchar('\n');
}

const char *cli_count(const struct stix_json *value, char out[CLI_COUNT])
{
    int64_t n;
    if (stix_json_int(value, &n))
        (void)snprintf(out, CLI_COUNT, "%lld", (long long)n);
    else
        (void)snprintf(out, CLI_COUNT, "?");
    return out;
}

void cli_table(const char *const *header, size_t columns, const char *const *cells, size_t rows)
{
    size_t width[16] = {0};
    for (size_t c = 0; c < columns && c < 16; c++) {
        width[c] = strlen(header[c]);
        for (size_t r = 0; r < rows; r++) {
            const char *cell = cells[r * columns + c];
            size_t n = cell != NULL ? strlen(cell) : 0;
            width[c] = n > width[c] ? n : width[c];
        }
    }
    for (size_t r = 0; r <= rows; r++) {
        const char *const *row = r == 0 ? header : &cells[(r - 1) * columns];
        for (size_t c = 0; c < columns && c < 16; c++)
            printf("%-*s%s", c + 1 < columns ? (int)width[c] : 0, row[c] != NULL ? row[c] : "",
                   c + 1 < columns ? "  " : "");
        (void)putchar('\n');
    }
}

/* ---- main ---- */

static bool has_word(int argc, char **argv, const char *word)
{
    for (int at = 1; at < argc; at++)
        if (strcmp(argv[at], word) == 0)
            return true;
    return false;
}

/* What the user asked who named no command. */
static int run_without_command(int argc, char **argv)
{
    static const char *const known[] = {"--version", "--json", "--help", "-h", "-C"};
    for (int at = 1; at < argc; at++) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known |= strcmp(argv[at], known[i]) == 0;
        if (!is_known && strcmp(argv[at - 1], "-C") != 0) {
            cli_line(stderr, "isg: unknown option %.200s (see `isg --help`)", argv[at]);
            return CLI_USAGE;
        }
    }
    if (has_word(argc, argv, "--version"))
        return print_version(has_word(argc, argv, "--json"));
    bool asked = has_word(argc, argv, "--help") || has_word(argc, argv, "-h");
    print_overview(asked ? stdout : stderr);
    return asked ? 0 : CLI_USAGE;
}

/* An answer that did not get out whole is no answer: a full disk, a reader that went away. */
static int finish_output(int code)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    (void)fputs("isg: standard output cannot be written\n", stderr);
    return code == 0 || code == CLI_NO ? isg_err_exit(ISG_EIO) : code;
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {.argc = argc - 1, .argv = argv + 1};
    cli.dir = getenv("ISG_DIR"); /* NOLINT(concurrency-mt-unsafe): nothing sets it */
    const char *first = NULL;
    int at = 0;
    if (cli.dir == NULL)
        cli.dir = "/var/lib/isg";
    cli.command = command_among(commands, COMMANDS, cli.argc, cli.argv, &at, &first);
    if (cli.command == NULL && first == NULL)
        return finish_output(run_without_command(argc, argv));
    if (cli.command == NULL) {
        cli_line(stderr, "isg: no such command: %.200s (see `isg --help`)", first);
        return CLI_USAGE;
    }
    take_word(&cli.argc, cli.argv, at);
    int code = cli.command->run(&cli);
    free(cli.args);
    return finish_output(code < 0 ? 0 : code);
}
