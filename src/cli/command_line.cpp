#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <vector>

#include "cli/help_text.h"
#include "cli/table.h"
#include "domain/id.h"
#include "domain/number.h"
#include "domain/suggestion.h"

namespace cli {
namespace {

constexpr int kWrongUsage = 2;
// No word of a command line that means something begins with it.
constexpr char kNoOption = '\1';

// Owns CLI11's tree of commands; what it parses goes into one CommandLine.
class Parser {
 public:
  Parser() {
    app_.name("room-sidecar");
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "room-sidecar " ROOM_SIDECAR_VERSION);
    app_.formatter_fn([this](const CLI::App* app, std::string name, CLI::AppFormatMode mode) {
      return app == &app_ ? std::string(kHelp) : CLI::Formatter{}.make_help(app, std::move(name), mode);
    });
    add_configuration(app_);
    add_running_commands();
    add_talking_commands();
    add_rooms_commands();
    add_copying_commands();
    add_cluster_commands();
  }

  std::variant<CommandLine, NothingToRun> parse(int argc, const char* const* argv) {
    if (argc < 2) return NothingToRun{kWrongUsage, "", kHelp};
    try {
      app_.parse(words(argc, argv));
    } catch (const CLI::Success& asked) {  // --help or --version
      std::ostringstream out;
      std::ostringstream err;
      app_.exit(asked, out, err);
      return NothingToRun{0, out.str(), ""};
    } catch (const CLI::ParseError& error) {
      return refused(error.what());
    }
    if (watch_) line_.watch = seconds_in(*watch_);
    if (auto problem = problem_of_values()) return wrong_usage(*problem);
    return line_;
  }

 private:
  // In CLI11's order, the last one first. It takes `--` for the end of one command's options only, so what
  // stands behind that and looks like an option gets a mark by which it does not.
  static std::vector<std::string> words(int argc, const char* const* argv) {
    std::vector<std::string> words;
    bool options_ended = false;
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (!options_ended && word == "--") {
        options_ended = true;
      } else {
        words.push_back(options_ended && word.rfind('-', 0) == 0 ? kNoOption + word : word);
      }
    }
    std::reverse(words.begin(), words.end());
    return words;
  }

  static std::string without_mark(const std::string& word) { return word.substr(word.rfind(kNoOption, 0) == 0); }

  CLI::App* add(CLI::App& parent, const char* name, Command command, const char* description) {
    auto* sub = parent.add_subcommand(name, description);
    sub->callback([this, command] { line_.command = command; });
    // The tree's own formatter, which is inherited, would say the same for each command.
    sub->formatter(std::make_shared<CLI::Formatter>());
    add_configuration(*sub);
    return sub;
  }

  void add_configuration(CLI::App& app) {
    add_value(app, "--config", line_.config_file, "FILE", "configuration (default: /etc/room-sidecar/config.toml)");
    add_value(app, "--env-file", line_.env_file, "FILE", "environment file (default: .env beside the configuration)");
  }

  static CLI::Option* add_value(CLI::App& app, const char* name, std::optional<std::string>& value, const char* type,
                                const char* description) {
    const auto set = [&value](const std::string& text) { value = text; };
    return app.add_option_function<std::string>(name, set, description)->type_name(type)->take_last();
  }

  void add_subject(CLI::App& app, const char* name, const char* description) {
    app.add_option_function<std::string>(
           name, [this](const std::string& word) { line_.subject = without_mark(word); }, description)
        ->required()
        ->type_name("");
  }

  void add_json(CLI::App& app) { app.add_flag("--json", line_.json, "print JSON, for programs"); }

  void add_running_commands() {
    auto* serve = add(app_, "serve", Command::serve, "Run the sidecar in the foreground.");
    serve->add_flag("--set-aside-damaged", line_.set_aside_damaged,
                    "move a damaged database aside and start with a new one");
    add(app_, "check", Command::check,
        "Validate without starting: print every problem of the configuration, and each room\n"
        "without a valid default gateway. Exit code 2 if serve would refuse to start.");
    add_json(*add(app_, "config", Command::config, "Show the effective settings, each with where it came from."));
    auto* reload = add(app_, "reload", Command::reload,
                       "Make the running sidecar read its configuration again, wait, and show what\n"
                       "changed. Exit code 2 if it refused: then the old configuration stays.");
    reload->add_flag("--allow-removals", line_.allow_removals,
                     "apply it even if it removes most of the configured gateways or rooms");
    add_talking(*reload);
    auto* scale = add(app_, "scale", Command::scale,
                      "Switch the mode: write SCALE into the environment file, reload, and show the mode\n"
                      "that answers. Exit code 1 if it is another one. Without on or off, only show it.");
    scale->add_option("MODE", line_.subject, "on: scale mode; off: legacy mode")->type_name("on|off");
    add_talking(*scale);
  }

  // For commands that ask the running sidecar.
  void add_talking(CLI::App& app) {
    add_value(app, "--server", line_.server, "ADDRESS",
              "the sidecar: 127.0.0.1:8082, [::1]:8082 or unix:/path\n"
              "(default: the one that runs on the configured database)");
    add_value(app, "--token-file", line_.token_file, "FILE", "holds the bearer token (default: http.token_file)");
    add_json(app);
  }

  void add_talking_commands() {
    auto* status = add(app_, "status", Command::status, "Show mode, health, gateways and load.");
    status
        ->add_option_function<std::vector<std::string>>(
            "--watch", [this](const std::vector<std::string>& texts) { watch_ = texts.empty() ? "" : texts[0]; },
            "show it again every so many seconds (default: 2), until q or Ctrl-C")
        ->type_name("[SECONDS]")
        ->expected(0, 1);
    add_talking(*status);
    auto* assignments = add(app_, "assignments", Command::assignments, "Show which room is assigned to which gateway.");
    add_value(*assignments, "--gateway", line_.gateway, "GW", "only the rooms on this gateway");
    add_talking(*assignments);
    add_talking(*add(app_, "splits", Command::splits,
                     "Show rooms with participants on another gateway than the one that is answered,\n"
                     "as gateways (occupancy.source) and sessions report."));
    auto* explain = add(app_, "explain", Command::explain, "Show where a room would go now, and why. Changes nothing.");
    add_subject(*explain, "ROOM", "the room's Janus id (gateway_uid)");
    add_value(*explain, "--country", line_.country, "CC", "the country of the user who asks");
    add_talking(*explain);
    auto* why = add(app_, "why", Command::why,
                    "Show why a room is where it is: the newest decisions about it, as far as the\n"
                    "sidecar remembers them.");
    add_subject(*why, "ROOM", "the room's Janus id (gateway_uid)");
    add_value(*why, "--limit", line_.limit, "N", "the most decisions to show, 1 to 1000 (default: 3)");
    add_talking(*why);
    auto* drain = add(app_, "drain", Command::drain,
                      "Put no new rooms on a gateway, also after a restart. The rooms there stay, unless\n"
                      "--move is given.");
    add_subject(*drain, "GW", "the gateway's name");
    drain->add_flag("--move", line_.move, "also move the rooms there to other gateways: their users have to join anew");
    add_talking(*drain);
    auto* undrain = add(app_, "undrain", Command::undrain, "Put new rooms on a gateway again.");
    add_subject(*undrain, "GW", "the gateway's name");
    add_talking(*undrain);
    auto* release =
        add(app_, "release", Command::release, "Forget a room's assignment; the next request places it anew.");
    add_subject(*release, "ROOM", "the room's Janus id (gateway_uid)");
    release->add_flag("--force", line_.force, "release it even if it is occupied, which may split its users");
    add_talking(*release);
  }

  void add_rooms_commands() {
    auto* rooms = app_.add_subcommand("rooms", "Work on the rooms of the database file.");
    rooms->formatter(std::make_shared<CLI::Formatter>());
    rooms->require_subcommand(1);
    add_configuration(*rooms);
    auto* import = add(*rooms, "import", Command::rooms_import,
                       "Add and update rooms from a file, also beside a running sidecar.");
    add_subject(*import, "FILE", "CSV or JSON; - is standard input");
    import->add_flag("--create-gateways", line_.create_gateways, "add gateways that are not known yet");
    import->add_flag("--janus-is-default", line_.janus_is_default,
                     "read gxydb's /groups answer, and take its janus as default gateway");
    import->footer(kImportHelp);
    add_json(*add(*rooms, "list", Command::rooms_list, "Show the rooms of the database file."));
    auto* set = add(*rooms, "set", Command::rooms_set, "Give a room another default gateway.");
    add_subject(*set, "ROOM", "the room's Janus id (gateway_uid)");
    add_value(*set, "--default-gateway", line_.gateway, "GW", "the gateway's name")->required();
  }

  void add_copying_commands() {
    auto* backup =
        add(app_, "backup", Command::backup, "Write a consistent copy of the database, also while the sidecar runs.");
    add_subject(*backup, "FILE", "the copy; an older one is replaced");
    auto* restore = add(app_, "restore", Command::restore,
                        "Put a copy in the database's place, only while the sidecar does not run.\n"
                        "The old database is kept beside it.");
    add_subject(*restore, "FILE", "a copy that backup wrote");
  }

  void add_cluster_commands() {
    auto* cluster =
        app_.add_subcommand("cluster", "Go from one sidecar to many that share assignments in etcd, and back.");
    cluster->formatter(std::make_shared<CLI::Formatter>());
    cluster->require_subcommand(1);
    add_configuration(*cluster);
    auto* join = add(*cluster, "join", Command::cluster_join,
                     "Copy the assignments of the database file into etcd, before engine = \"etcd\"\n"
                     "takes effect; also beside a running sidecar. May be repeated. Exit code 1 if\n"
                     "rooms are on another gateway there, or etcd can't be reached.");
    join->add_flag("--dry-run", line_.dry_run, "only compare");
    add_json(*join);
    add_talking(*add(*cluster, "leave", Command::cluster_leave,
                     "Remove this sidecar from etcd, after engine = \"none\" took effect: rooms that no\n"
                     "other sidecar uses end there. Here every room stays where it is."));
  }

  // CLI11 asks for a command before it looks at what it did not understand; people want the latter.
  NothingToRun refused(const std::string& reason) const {
    const auto unknown = app_.remaining(true);
    if (unknown.empty()) {
      const bool lacks_command = reason.find("subcommand") != std::string::npos;
      return wrong_usage(lacks_command ? "a command is missing" : reason);
    }
    const auto& first = unknown.front();
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    const bool is_option = first.size() > 1 && first.front() == '-';
    std::vector<std::string> known;
    if (is_option) {
      for (const auto* option : app->get_options()) known.push_back(option->get_name());
    } else {
      for (const auto* sub : app->get_subcommands({})) known.push_back(sub->get_name());
    }
    const auto* what = is_option ? "unknown option" : known.empty() ? "unexpected argument" : "unknown command";
    return wrong_usage(std::string(what) + " \"" + printable(without_mark(first)) + '"' +
                       domain::did_you_mean(first, known));
  }

  NothingToRun wrong_usage(const std::string& reason) const {
    std::string command = "room-sidecar";
    for (const CLI::App* app = &app_; !app->get_subcommands().empty();) {
      app = app->get_subcommands().front();
      command += ' ' + app->get_name();
    }
    return {kWrongUsage, "", "error: " + reason + "\nSee " + command + " --help.\n"};
  }

  std::optional<std::string> problem_of_values() const {
    const std::array named{
        std::pair{"--config", &line_.config_file},
        std::pair{"--env-file", &line_.env_file},
        std::pair{"--server", &line_.server},
        std::pair{"--token-file", &line_.token_file},
    };
    for (const auto& [name, value] : named) {
      if (*value && (*value)->empty()) return std::string(name) + " is empty; give it a value";
    }
    if (line_.limit && !is_limit(*line_.limit)) return "--limit: a number from 1 to 1000 was expected";
    if (watch_ && !line_.watch) return "--watch: a number of seconds from 0.1 to 3600 was expected";
    switch (line_.command) {
      case Command::explain:
      case Command::why:
      case Command::release:
      case Command::rooms_set:
        return problem_of_id("ROOM", line_.subject);
      case Command::scale:
        if (line_.subject.empty() || line_.subject == "on" || line_.subject == "off") return std::nullopt;
        return "MODE: \"" + printable(line_.subject) + "\" is neither on nor off";
      case Command::drain:
      case Command::undrain:
        return problem_of_id("GW", line_.subject);
      case Command::rooms_import:
      case Command::backup:
      case Command::restore:
        if (line_.subject.empty()) return "FILE is empty; name a file";
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }

  static std::optional<std::string> problem_of_id(const char* what, const std::string& id) {
    if (domain::is_valid_id(id)) return std::nullopt;
    return std::string(what) + ": \"" + printable(id) + "\" is not 1 to 255 bytes of UTF-8 without control characters";
  }

  static bool is_limit(const std::string& text) {
    const auto number = domain::number_from<int>(text).value_or(0);
    return number >= 1 && number <= 1000;
  }

  // Nothing if it is not a number that makes sense.
  static std::optional<double> seconds_in(const std::string& text) {
    if (text.empty()) return 2;
    const auto seconds = domain::number_from<double>(text);
    return seconds && *seconds >= 0.1 && *seconds <= 3600 ? seconds : std::nullopt;
  }

  CommandLine line_;
  std::optional<std::string> watch_;
  CLI::App app_;
};

}  // namespace

std::variant<CommandLine, NothingToRun> parse_command_line(int argc, const char* const* argv) {
  return Parser{}.parse(argc, argv);
}

}  // namespace cli
