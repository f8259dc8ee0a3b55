/* The command table, the option parser, help, and the helpers every command uses. */
#include "gateway/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/help_texts.h" /* made by the build, of the folder help */
#include "stix/base/utf8.h"

static int cli_help(struct cli *cli);

static const struct cli_command commands[] = {
    {"init", "make a new instance directory", cli_init},
    {"serve", "run the service in the foreground", cli_serve},
    {"wait", "wait until the service answers", cli_wait},
    {"member", "members: who may push and pull", cli_member},
    {"collection", "collections: what is shared with whom", cli_collection},
    {"import", "read feed files into a collection of the running service", cli_import},
    {"convert", "turn a feed file into a STIX 2.1 bundle, without a service", cli_convert},
    {"export", "write what a member may see: a signed bundle, or a form of other tools",
     cli_export},
    {"verify", "check an exported bundle and its signatures", cli_verify},
    {"key", "the keys that sign what leaves", cli_key},
    {"validate", "check STIX 2.1 objects and bundles", cli_validate},
    {"pattern", "check, match and compare STIX patterns", cli_pattern},
    {"id", "compute the deterministic id of observables", cli_id},
    {"canon", "print the canonical (RFC 8785) form of a JSON file", cli_canon},
    {"feed", "sources that are pulled on a schedule", cli_feed},
    {"peer", "other TAXII servers: pull from them, push to them", cli_peer},
    {"webhook", "URLs that are told of what is new", cli_webhook},
    {"status", "what the running service holds", cli_status},
    {"doctor", "check the service's surroundings and say what to do", cli_doctor},
    {"check-config", "read the configuration and say whether it is good", cli_check_config},
    {"config", "example | show | reference", cli_config},
    {"help", "what a command does, with examples", cli_help},
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

/* The arguments, options and examples of a command: its help/NAME.txt, which begins behind its name. */
static const char *help_of(const char *name)
{
    for (size_t i = 0; i < sizeof help_texts / sizeof help_texts[0]; i++)
        if (strcmp(help_texts[i].name, name) == 0)
            return help_texts[i].text;
    return "\n";
}

static void print_help(const struct cli *cli)
{
    const char *help = help_of(cli->command->name);
    printf("isg %s: %s\n\nusage: isg %s%s%s", cli->command->name, cli->command->summary,
           cli->command->name, help[0] == '\n' ? "" : " ", help);
}

static int cli_help(struct cli *cli)
{
    int code = cli_arguments(cli, NULL, 0, 0, 1);
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

int cli_arguments(struct cli *cli, const struct cli_option *options, size_t n, size_t least,
                  size_t most)
{
    int code = cli_options(cli, options, n);
    return code != 0 ? code : cli_expect(cli, least, most);
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
