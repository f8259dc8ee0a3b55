/*
 * Text forms of names that others administer: CPE, registry hives, character sets.
 */
#include <string.h>

#include "stix/chars.h"
#include "stix/cpe.h"
#include "stix/types_table.h"

/* --- CPE 2.3 formatted string (S-062) --- */

static bool is_cpe(struct isg_str text)
{
    struct stix_cpe ignored;
    return stix_cpe_read(text, &ignored);
}

/* --- registry hives (S-061) --- */

/*
 * The first part of a key is the hive, written out. Only a known abbreviation is refused: a key may
 * hold HKLM further on, and a key below a hive that was mounted elsewhere has another name.
 */
static bool is_registry_key(struct isg_str text)
{
    static const char *const short_hives[] = {"HKCC", "HKCR", "HKCU", "HKDD",
                                              "HKLM", "HKPD", "HKU"};
    struct isg_str hive = text;
    (void)isg_str_split(&text, '\\', &hive);
    if (hive.n > 0 && hive.p[hive.n - 1] == ':')
        hive.n--;
    for (size_t i = 0; i < sizeof short_hives / sizeof short_hives[0]; i++)
        if (isg_str_ieq(hive, isg_str_of(short_hives[i])))
            return false;
    return true;
}

/* --- character sets (S-018) --- */

/* Names of the IANA registry, preferred MIME names first, any case. */
/* clang-format off */
static const char *const charsets[] = {
    "US-ASCII", "UTF-8", "UTF-16", "UTF-16BE", "UTF-16LE", "UTF-32", "UTF-32BE", "UTF-32LE",
    "UTF-7", "UTF-7-IMAP", "ISO-8859-1", "ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5",
    "ISO-8859-6", "ISO-8859-6-E", "ISO-8859-6-I", "ISO-8859-7", "ISO-8859-8", "ISO-8859-8-E",
    "ISO-8859-8-I", "ISO-8859-9", "ISO-8859-10", "ISO-8859-11", "ISO-8859-13", "ISO-8859-14",
    "ISO-8859-15", "ISO-8859-16", "Shift_JIS", "EUC-JP", "ISO-2022-JP", "ISO-2022-JP-2",
    "ISO-2022-KR", "ISO-2022-CN", "ISO-2022-CN-EXT", "EUC-KR", "KS_C_5601-1987", "GB2312", "GBK",
    "GB18030", "GB_2312-80", "HZ-GB-2312", "Big5", "Big5-HKSCS", "KOI8-R", "KOI8-U",
    "KOI7-switched", "TIS-620", "VISCII", "VIQR", "macintosh", "windows-874", "windows-1250",
    "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255",
    "windows-1256", "windows-1257", "windows-1258", "windows-31J", "CESU-8", "SCSU", "BOCU-1",
    "BRF", "TSCII", "PTCP154", "KZ-1048", "Amiga-1251", "hp-roman8", "HP-Legal", "HP-Pi-font",
    "HP-Math8", "HP-DeskTop", "CP50220", "CP51932", "ISO-10646-UCS-2", "ISO-10646-UCS-4",
    "ISO-10646-UTF-1", "UNICODE-1-1", "UNICODE-1-1-UTF-7", "DEC-MCS", "MNEMONIC", "MNEM",
    "INVARIANT", "T.61-7bit", "T.61-8bit", "T.101-G2", "videotex-suppl", "Latin-greek-1",
    "latin-greek", "latin-lap", "greek7", "greek7-old", "greek-ccitt", "GOST_19768-74", "INIS",
    "INIS-8", "INIS-cyrillic", "us-dk", "dk-us", "KSC5636", "Adobe-Symbol-Encoding",
};
/* clang-format on */

/* Families of old names that share a beginning; the registry has every national variant of them. */
static const char *const charset_families[] = {"IBM",   "EBCDIC-",  "OSD_EBCDIC_",
                                               "ISO_",  "ISO-IR-",  "JIS_",
                                               "JUS_",  "NATS-",    "Microsoft-Publishing",
                                               "PC8-",  "Ventura-", "Adobe-Standard-",
                                               "BS_",   "DIN_",     "NF_Z_",
                                               "CSA_",  "MSZ_",     "SEN_",
                                               "ANSI_", "ECMA-",    "NS_",
                                               "NC_",   "DS_",      "Extended_UNIX_Code_"};

static bool is_charset(struct isg_str text)
{
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++)
        if (isg_str_ieq(text, isg_str_of(charsets[i])))
            return true;
    for (size_t i = 0; i < sizeof charset_families / sizeof charset_families[0]; i++)
        if (isg_str_starts(text, isg_str_of(charset_families[i])))
            return true;
    return false;
}

const struct stix_form stix_form_charset =
    STIX_FORM(is_charset, STIX_ERROR, "S-018", "is not a character set name of the IANA registry");
const struct stix_form stix_form_cpe =
    STIX_FORM(is_cpe, STIX_ERROR, "S-062", "is not a CPE 2.3 formatted string");
const struct stix_form stix_form_registry_key =
    STIX_FORM(is_registry_key, STIX_ERROR, "S-061", "begins with an abbreviated hive name");
