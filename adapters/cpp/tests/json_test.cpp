// Stored JSON: what is taken, and the many things that are not.
#include "testing.h"

namespace {

using namespace testing;

const TemporaryFolder folder;

const std::string kLine =
    R"({"num_tokens":2,"top_counts":[3,2],"top_indices_low":[5,5,5,65535,7],"top_indices_high":"ZAM=","top_logits_quantized":[65535,13107,0,65535,0],)"
    R"("top_min":[7,3.0],"top_max":[1e1,4],"sampled_indices_low":[12,65534,65535,0],"sampled_indices_high":"TA==",)"
    R"("sampled_logits_quantized":[0,65535,0,0],"sampled_min":[-1.25,-2],"sampled_max":[2,-2],"logsumexp":[10.25,4.5]})";

std::string ReadText(const std::string& text) {
  WriteBytes(folder.path / "rows.ndjson", text);
  return Read(folder.path / "rows.ndjson");
}

// The line with its first `from` replaced.
std::string With(const std::string& from, const std::string& to) {
  std::string line = kLine;
  const size_t at = line.find(from);
  ExpectEqual(true, at != std::string::npos, from + " is in the line");
  return line.replace(at, from.size(), to);
}

std::string WithMember(const std::string& member) { return kLine.substr(0, kLine.size() - 1) + "," + member + "}"; }

void Taken() {
  ExpectEqual(kOneRow, ReadText(kLine), "no line break at the end");
  ExpectEqual(kOneRow + kOneRow, ReadText(kLine + "\n" + kLine + "\r\n"), "two lines");
  ExpectEqual(kOneRow, ReadText(" \t" + kLine + " \n"), "white space");
  ExpectEqual(kOneRow, ReadText(WithMember(R"("x":{"num_tokens":[null,1e400,true]},"x":1)")), "other members");
  ExpectEqual(kOneRow, ReadText(With("\"num_tokens\"", "\"num\\u005ftokens\"")), "an escape in a name");
}

// The upper end of the first range in binary32; the nearest such number, rounded once.
void RoundedOnce() {
  const std::string text = ReadText(With("[1e1,", "[16777217.0000000001,"));
  ExpectEqual(true, text.find("[16777218, ") != std::string::npos,
              "above the middle between two binary32 numbers: " + text);
  ExpectEqual(true, ReadText(With("[1e1,", "[16777217,")).find("[16777216, ") != std::string::npos,
              "in the middle, to even");
}

void Faults() {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"JSON-1", "\xEF\xBB\xBF" + kLine},
      {"JSON-1", kLine + "\n\n" + kLine},
      {"JSON-1", kLine + "\n\xEF\xBB\xBF" + kLine},
      {"JSON-1", kLine + '\0'},
      {"JSON-1", kLine + kLine},
      {"JSON-1", kLine.substr(0, kLine.size() - 1)},
      {"JSON-1", "[" + kLine + "]"},
      {"JSON-1", With("7]", "07]")},
      {"JSON-1", With("4.5", "NaN")},
      {"JSON-1", WithMember("\"x\":\"\xFF\"")},
      {"JSON-1", With("[3,2]", "null").substr(0, 100)},
      {"COL-1", With("num_tokens", "tokens")},
      {"COL-1", WithMember("\"num_tokens\":2")},
      {"COL-1", kLine + "\n" + WithMember("\"token_ids\":[1,2]")},
      {"COL-2", With(":2,", ":2.0,")},
      {"COL-2", With(":2,", ":2e0,")},
      {"COL-2", With(":2,", ":\"2\",")},
      {"COL-2", With(":2,", ":true,")},
      {"COL-2", With(":2,", ":[2],")},
      {"COL-2", With("[3,2]", "3")},
      {"COL-2", With("[3,2]", "{}")},
      {"COL-2", With("[3,2]", "[[3],2]")},
      {"COL-2", With("[10.25,", "[\"10.25\",")},
      {"COL-2", With("\"TA==\"", "[76]")},
      {"COL-3", With("[10.25,", "[null,")},
      {"COL-3", With("[3,2]", "null")},
      {"JSON-2", With("TA==", "TA=")},
      {"JSON-2", With("TA==", "TB==")},
      {"JSON-2", With("ZAM=", "ZAN=")},
      {"JSON-2", With("ZAM=", "ZA M")},
      {"JSON-2", With("ZAM=", "Z===")},
      {"JSON-2", With("ZAM=", "Z-M=")},
      {"ROW-1", With(":2,", ":4294967298,")},
      {"ROW-1", With(":2,", ":99999999999999999999999,")},
      {"NUC-1", With("[3,2]", "[259,2]")},
      {"IDX-1", With("[12,", "[-1,")},
      {"QNT-8", With("13107", "65536")},
      {"QNT-1", With("[1e1,", "[1e39,")},
      {"LSE-1", With("4.5", "\"NaN\"")},
      {"LSE-1", With("4.5", "1e400")},
      {"IDX-3", With("ZAM=", "ZA==")},
  };
  for (const auto& [expected, text] : lines) ExpectEqual(expected, ReadText(text), text);
}

}  // namespace

int main() {
  Taken();
  RoundedOnce();
  Faults();
  return Finish();
}
