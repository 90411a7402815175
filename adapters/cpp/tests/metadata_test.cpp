// Which metadata are in force, and what they say to a reader.
#include "metadata.h"

#include "testing.h"

namespace {

using namespace testing;

const TemporaryFolder folder;

std::string Metadata(const std::string& version, const std::string& vocab_size = "70000",
                     const std::string& more = "") {
  return R"({"spec_version": ")" + version + R"(", "model": {"id": "m"}, "tokenizer": {"id": "m"}, "vocab_size": )" +
         vocab_size +
         R"(, "nucleus": {"rule": "covering", "top_p": 0.98, "max_entries": 1e2}, "tail": {"num_sampled": 5, "method": "uniform"}, )"
         R"("alignment": "predicts")" +
         more + "}";
}

// The vocabulary, "none", or META-2.
std::string InForce(const std::optional<std::string>& embedded, const std::string& beside = "",
                    const std::string& at_root = "") {
  const auto data = folder.path / "data";
  std::filesystem::create_directories(data);
  for (const auto& [where, text] : {std::pair(data, beside), std::pair(folder.path, at_root)}) {
    std::filesystem::remove(where / "logitpack.json");
    if (!text.empty()) WriteBytes(where / "logitpack.json", text);
  }
  const auto vocabulary = logitpack::VocabularyInForce(embedded, data, folder.path);
  if (!vocabulary.ok()) return logitpack::Requirement(vocabulary.status());
  return *vocabulary == logitpack::kNoVocabulary ? "none" : std::to_string(*vocabulary);
}

void Versions() {
  for (const char* version : {"1.0", "1.1", "1.10", "1.999999999"})
    ExpectEqual(std::string("70000"), InForce(Metadata(version)), version);
  for (const char* version : {"2.0", "0.9", "10.0", "100000000.3"})
    ExpectEqual(std::string("META-2"), InForce(Metadata(version)), version);
  for (const char* version : {"1", "2", "02.0", "2.00", "2.0.0", "2.0\\n", "1234567890.0", ""})
    ExpectEqual(std::string("none"), InForce(Metadata(version)), version);
  ExpectEqual(std::string("META-2"), InForce(R"({"spec_version": "2.0"})"), "another schema");
  ExpectEqual(std::string("META-2"), InForce(R"({"spec_version": "2.0", "x": 1e400, "a": 1, "a": 2})"),
              "another member twice");
  ExpectEqual(std::string("none"), InForce(R"({"spec_version": "1.0", "spec_version": "2.0"})"), "two versions");
}

void Validity() {
  ExpectEqual(std::string("70000"),
              InForce(Metadata("1.0", "70000.0", R"(, "x": {"spec_version": "2.0"}, "temperature": 1.0)")),
              "unknown members");
  for (const char* more : {R"(, "temperature": 2)", R"(, "temperature": true)", R"(, "mask": {"excluded": "think"})",
                           R"(, "x": {"a": 1, "a": 1})", R"(, "chat_template_sha256": "AB")",
                           R"(, "alignment": "predicts")", R"(, "tokenizer": {"id": ""})", ", "}) {
    ExpectEqual(std::string("none"), InForce(Metadata("1.0", "70000", more)), more);
  }
  for (const char* size : {"0", "-1", "70000.5", "\"70000\"", "true", "null", "2147483648", "1e400"}) {
    ExpectEqual(std::string("none"), InForce(Metadata("1.0", size)), size);
  }
  ExpectEqual(std::string("none"), InForce("\xEF\xBB\xBF" + Metadata("2.0")), "a byte order mark");
  ExpectEqual(std::string("none"), InForce(Metadata("2.0") + '\0'), "a NUL");
  ExpectEqual(std::string("none"), InForce("[" + Metadata("2.0") + "]"), "an array");
  ExpectEqual(std::string("none"), InForce(std::string(500'000, '[')), "half a million brackets");
  const std::string padding(logitpack::kMetadataLimit - Metadata("2.0").size(), ' ');
  ExpectEqual(std::string("META-2"), InForce(Metadata("2.0") + padding), "as long as may be");
  ExpectEqual(std::string("none"), InForce(Metadata("2.0") + padding + " "), "one byte longer");
}

void Precedence() {
  ExpectEqual(std::string("none"), InForce(std::nullopt), "nothing");
  ExpectEqual(std::string("1"), InForce(Metadata("1.0", "1"), Metadata("2.0"), Metadata("2.0")), "embedded");
  ExpectEqual(std::string("2"), InForce(std::nullopt, Metadata("1.0", "2"), Metadata("2.0")), "beside");
  ExpectEqual(std::string("3"), InForce(std::nullopt, "", Metadata("1.0", "3")), "at the root");
  ExpectEqual(std::string("2"), InForce("{}", Metadata("1.0", "2")), "an embedded object that is not valid");
  ExpectEqual(std::string("META-2"), InForce("{}", Metadata("1.0", "0"), Metadata("2.0")), "two that are not valid");
}

// Through a file: the vocabulary decides which token ids hold.
void TokenIds() {
  Fields fields = OneRow();
  fields["token_ids"] = {arrow::list(arrow::int32()), "[[1, 69999]]"};
  for (const std::string name : {"ids.parquet", "ids.arrow", "ids.arrows"}) {
    const auto read = [&](const std::string& metadata) {
      Write(folder.path / name, MakeBatch(fields, metadata));
      return Read(folder.path / name);
    };
    ExpectEqual(true, read(Metadata("1.0")).find("\"token_id\": 69999") != std::string::npos,
                name + ", an id in the vocabulary");
    ExpectEqual(kOneRow, read(Metadata("1.0", "69999")), name + ", one beyond it");
    ExpectEqual(std::string("META-2"), read(Metadata("2.0")), name + ", another major version");
  }
}

}  // namespace

int main() {
  Versions();
  Validity();
  Precedence();
  std::filesystem::remove(folder.path / "logitpack.json");
  TokenIds();
  return Finish();
}
