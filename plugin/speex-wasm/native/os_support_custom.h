/* libspeex without standard output: the module then imports nothing, so it runs wherever WebAssembly does. */
#define OVERRIDE_SPEEX_FATAL
#define OVERRIDE_SPEEX_WARNING
#define OVERRIDE_SPEEX_WARNING_INT
#define OVERRIDE_SPEEX_NOTIFY
#define OVERRIDE_SPEEX_PUTC

static inline void _speex_fatal(const char *text, const char *file, int line)
{
  (void)text;
  (void)file;
  (void)line;
  __builtin_trap();
}
static inline void speex_warning(const char *text) { (void)text; }
static inline void speex_warning_int(const char *text, int value)
{
  (void)text;
  (void)value;
}
static inline void speex_notify(const char *text) { (void)text; }
static inline void _speex_putc(int character, void *file)
{
  (void)character;
  (void)file;
}
