#include "metadata.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

#include "row.h"
#include "status.h"

namespace logitpack {
namespace {

// Numbers as long double: in binary64 the library would take 1e400 for an error in the text.
using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, int64_t, uint64_t, long double>;

struct Parsed {
  Json value;
  bool name_twice = false;     // a member stands twice in one object, anywhere
  bool version_twice = false;  // the member is spec_version, at the top
};

// A UTF-8 JSON object, or nothing. The library itself would skip a byte order mark, and stop at a NUL.
std::optional<Parsed> ParseObject(const std::string& text) {
  if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != std::string::npos) return std::nullopt;
  Parsed parsed;
  std::vector<std::set<std::string>> names;  // of the objects that are open
  const auto on_event = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& name = value.get_ref<const std::string&>();
      if (!names.back().insert(name).second) {
        parsed.name_twice = true;
        parsed.version_twice |= names.size() == 1 && name == "spec_version";
      }
    }
    return true;
  };
  parsed.value = Json::parse(text, on_event, /*allow_exceptions=*/false);
  if (!parsed.value.is_object()) return std::nullopt;
  return parsed;
}

// The schema of schema/metadata.schema.json, in functions.
using Check = std::function<bool(const Json&)>;

struct Member {
  const char* name;
  bool required;
  Check check;
};

bool IsString(const Json& value) { return value.is_string(); }
bool IsName(const Json& value) { return value.is_string() && !value.get_ref<const std::string&>().empty(); }
bool IsBoolean(const Json& value) { return value.is_boolean(); }

bool IsInteger(const Json& value) {
  return value.is_number_integer() ||
         (value.is_number() && std::floor(value.get<long double>()) == value.get<long double>() &&
          std::isfinite(value.get<double>()));
}

bool IsDigest(const Json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Check IntegerIn(long double minimum, long double maximum) {
  return [=](const Json& value) {
    return IsInteger(value) && value.get<long double>() >= minimum && value.get<long double>() <= maximum;
  };
}

Check OneOf(std::vector<std::string> allowed) {
  return [=](const Json& value) {
    return value.is_string() && std::ranges::count(allowed, value.get_ref<const std::string&>()) != 0;
  };
}

Check Object(std::vector<Member> members) {
  return [=](const Json& value) {
    return value.is_object() && std::ranges::all_of(members, [&](const Member& member) {
             const auto found = value.find(member.name);
             return found == value.end() ? !member.required : member.check(*found);
           });
  };
}

bool IsProbability(const Json& value) {
  return value.is_number() && value.get<double>() > 0 && value.get<double>() <= 1;
}
bool IsOne(const Json& value) { return value.is_number() && value.get<double>() == 1; }
bool IsStrings(const Json& value) { return value.is_array() && std::ranges::all_of(value, IsString); }

bool IsNucleus(const Json& value) {
  static const Check kMembers = Object({{"top_p", false, IsProbability},
                                        {"max_entries", false, IntegerIn(1, 255)},
                                        {"rule", true, OneOf({"covering", "below", "unspecified"})},
                                        {"order", false, OneOf({"descending", "unspecified"})}});
  return kMembers(value) &&
         (value["rule"] == "unspecified" || (value.contains("top_p") && value.contains("max_entries")));
}

// META-1, but for what ParseObject and Version look at.
bool IsValid(const Json& value) {
  static constexpr long double kInt32 = 2147483647;
  static const Check kMembers = Object({
      {"spec_version", true, IsString},
      {"model", true, Object({{"id", true, IsName}, {"revision", false, IsString}, {"dtype", false, IsString}})},
      {"tokenizer", true,
       Object({{"id", true, IsName},
               {"revision", false, IsString},
               {"sha256", false, IsDigest},
               {"size", false, IntegerIn(1, kInt32)}})},
      {"vocab_size", true, IntegerIn(1, kInt32)},
      {"nucleus", true, IsNucleus},
      {"tail", true,
       Object({{"num_sampled", true, IntegerIn(1, kInt32)},
               {"method", true, OneOf({"uniform", "proportional", "unspecified"})},
               {"seed", false, IsInteger}})},
      {"temperature", false, IsOne},
      {"alignment", true, OneOf({"predicts", "follows", "unspecified"})},
      {"mask", false,
       Object({{"turns", false, IsString}, {"end_of_turn", false, IsBoolean}, {"excluded", false, IsStrings}})},
      {"chat_template_sha256", false, IsDigest},
      {"source", false, Object({{"id", false, IsString}, {"revision", false, IsString}, {"split", false, IsString}})},
      {"writer", false, Object({{"name", false, IsString}, {"version", false, IsString}})},
  });
  if (!kMembers(value)) return false;
  const Json& tokenizer = value["tokenizer"];
  return !tokenizer.contains("size") || tokenizer["size"].get<long double>() <= value["vocab_size"].get<long double>();
}

// One part of MAJOR.MINOR: 0, or up to nine digits that do not begin with 0.
bool IsVersionPart(std::string_view part) {
  return !part.empty() && part.size() <= 9 && part.find_first_not_of("0123456789") == std::string_view::npos &&
         (part == "0" || part[0] != '0');
}

// The major number of spec_version, where that stands once and has its form.
std::optional<std::string> MajorVersion(const Parsed& parsed) {
  const auto found = parsed.value.find("spec_version");
  if (found == parsed.value.end() || !found->is_string() || parsed.version_twice) return std::nullopt;
  const auto& text = found->get_ref<const std::string&>();
  const size_t dot = text.find('.');
  if (dot == std::string::npos || !IsVersionPart(text.substr(0, dot)) || !IsVersionPart(text.substr(dot + 1)))
    return std::nullopt;
  return text.substr(0, dot);
}

// META-2 is judged before META-1: another major version has a schema of its own. Nothing where the object counts as
// absent.
arrow::Result<std::optional<int64_t>> Vocabulary(const std::string& text) {
  if (text.size() > kMetadataLimit) return std::nullopt;
  const std::optional<Parsed> parsed = ParseObject(text);
  if (!parsed) return std::nullopt;
  const std::optional<std::string> major = MajorVersion(*parsed);
  if (major && *major != "1") return Broken("META-2", "the major version ", *major, " is not known");
  if (!major || parsed->name_twice || !IsValid(parsed->value)) return std::nullopt;
  return static_cast<int64_t>(parsed->value["vocab_size"].get<long double>());
}

// At most one byte more than may be used.
std::string ReadSome(const std::filesystem::path& path) {
  std::string text(kMetadataLimit + 1, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace

arrow::Result<int64_t> VocabularyInForce(const std::optional<std::string>& embedded,
                                         const std::filesystem::path& folder, const std::filesystem::path& root) {
  std::optional<int64_t> vocabulary;
  if (embedded) {
    ARROW_ASSIGN_OR_RAISE(vocabulary, Vocabulary(*embedded));
  }
  for (const auto& beside : {folder, root}) {
    const auto path = beside / "logitpack.json";
    if (vocabulary || !std::filesystem::is_regular_file(path)) continue;
    ARROW_ASSIGN_OR_RAISE(vocabulary, Vocabulary(ReadSome(path)));
  }
  return vocabulary.value_or(kNoVocabulary);
}

}  // namespace logitpack
