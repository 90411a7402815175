// Whole files: what is cut, changed or put after the end; metadata in force; datasets; limits.
#include <cstring>

#include "testing.h"

namespace {

using namespace testing;
namespace ipc = arrow::ipc;

const TemporaryFolder folder;

std::string ReadText(const std::string& name, std::string_view bytes) {
  WriteBytes(folder.path / name, bytes);
  return Read(folder.path / name);
}

std::string Stored(const std::string& name, int batches,
                   const ipc::IpcWriteOptions& options = ipc::IpcWriteOptions::Defaults()) {
  Write(folder.path / name, MakeBatch(OneRow()), batches, options);
  return ReadBytes(folder.path / name);
}

void CutAnywhere() {
  for (const std::string name : {"cut.parquet", "cut.arrow", "cut.arrows"}) {
    const std::string whole = Stored(name, 2);
    ExpectEqual(kOneRow + kOneRow, ReadText(name, whole), name);
    const size_t step = name == "cut.parquet" ? 7 : 1;  // a long one, whose end alone tells that it is cut
    for (size_t size = 0; size < whole.size(); size += step) {
      const std::string outcome = ReadText(name, whole.substr(0, size));
      ExpectEqual(true, outcome == "FILE-1" || (outcome == "FILE-3" && name == "cut.arrows"),
                  name + " cut at " + std::to_string(size) + ": " + outcome);
    }
    ExpectEqual(std::string("FILE-1"), ReadText(name, whole + '\0'), name + " and a byte");
    if (name != "cut.parquet") ExpectEqual(std::string("FILE-1"), ReadText(name, whole + whole), name + " twice");
  }
}

void EndOfStream() {
  const std::string modern = Stored("end.arrows", 1);
  const std::string open = modern.substr(0, modern.size() - 8);
  ExpectEqual(std::string("FILE-3"), ReadText("end.arrows", open), "no marker");
  ExpectEqual(std::string("FILE-3"), ReadText("end.arrows", open + std::string(4, '\0')),
              "the old marker after new messages");

  ipc::IpcWriteOptions options = ipc::IpcWriteOptions::Defaults();
  options.write_legacy_ipc_format = true;
  const std::string legacy = Stored("end.arrows", 2, options);
  ExpectEqual(kOneRow + kOneRow, ReadText("end.arrows", legacy), "a stream without continuation indicators");
  ExpectEqual(std::string("FILE-3"), ReadText("end.arrows", legacy.substr(0, legacy.size() - 4)),
              "such a stream without its marker");

  // The last column's values end in the bytes of a marker, and the stream just there.
  Fields fields = OneRow();
  fields["z"] = {arrow::list(arrow::int32()), "[[-1, 0]]"};
  Write(folder.path / "end.arrows", MakeBatch(fields));
  std::string looks_ended = ReadBytes(folder.path / "end.arrows");
  looks_ended.resize(looks_ended.size() - 8);
  while (!looks_ended.ends_with(std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8)) && looks_ended.ends_with('\0'))
    looks_ended.pop_back();
  ExpectEqual(true, looks_ended.ends_with(std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8)) || looks_ended.ends_with('\xFF'),
              "values at the end");
  const std::string outcome = ReadText("end.arrows", looks_ended);
  ExpectEqual(true, outcome == "FILE-1" || outcome == "FILE-3", "values that look like a marker: " + outcome);
}

// A body of two batches before a footer that knows of one.
void LostBatch() {
  const std::string one = Stored("lost.arrow", 1), two = Stored("lost.arrow", 2);
  const auto footer_begin = [](const std::string& file) {
    int32_t length;
    std::memcpy(&length, file.data() + file.size() - 10, 4);
    return file.size() - 10 - static_cast<size_t>(length);
  };
  ExpectEqual(std::string("FILE-1"),
              ReadText("lost.arrow", two.substr(0, footer_begin(two)) + one.substr(footer_begin(one))),
              "a batch that the footer leaves out");
}

// Polars writes the Schema message of a file without its prefix of eight bytes; the footer has the schema, too.
void BodyThatIsNoStream() {
  std::string file = Stored("polars.arrow", 1);
  file.replace(8, 8, std::string(8, '\4'));
  ExpectEqual(kOneRow, ReadText("polars.arrow", file), "a body that is no stream");
}

// Every third byte of a file changed: pages are under checksums, and what is read all the same is what was stored.
void FlippedByte() {
  const std::string whole = Stored("flip.parquet", 1);
  int accepted = 0;
  for (size_t i = 4; i < whole.size(); i += 3) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    const std::string outcome = ReadText("flip.parquet", changed);
    if (outcome.starts_with("{")) ExpectEqual(kOneRow, outcome, "byte " + std::to_string(i)), ++accepted;
  }
  ExpectEqual(true, accepted > 0,
              "statistics and names of other things may change");  // and the loop has seen files that are read
}

void Compressed() {
  for (const auto codec : {arrow::Compression::ZSTD, arrow::Compression::LZ4_FRAME}) {
    ipc::IpcWriteOptions options = ipc::IpcWriteOptions::Defaults();
    options.codec = arrow::util::Codec::Create(codec).ValueOrDie();
    for (const std::string name : {"compressed.arrow", "compressed.arrows"})
      ExpectEqual(kOneRow, ReadText(name, Stored(name, 1, options)), name);
  }
}

// The length before a compressed buffer is a claim: here, of 2^60 bytes.
void Inflated() {
  ipc::IpcWriteOptions options = ipc::IpcWriteOptions::Defaults();
  options.codec = arrow::util::Codec::Create(arrow::Compression::ZSTD).ValueOrDie();
  for (const std::string name : {"inflated.arrow", "inflated.arrows"}) {
    std::string file = Stored(name, 1, options);
    const size_t frame = file.find("\x28\xB5\x2F\xFD");
    ExpectEqual(true, frame != std::string::npos, "there is a compressed buffer");
    file[frame - 1] = 0x10;
    ExpectEqual(std::string("FILE-1"), ReadText(name, file), name);
  }
}

void Limits() {
  Fields fields = OneRow();
  std::string many = "[[12";
  for (int i = 1; i < 200'000; ++i) many += ", 12";
  fields["sampled_indices_low"].json = fields["sampled_logits_quantized"].json = many + "]]";
  Write(folder.path / "large.parquet", MakeBatch(fields));
  ExpectEqual(true, Read(folder.path / "large.parquet", {.memory_limit = 100'000}).starts_with("Out of memory"),
              "a limit that does not suffice");
  ExpectEqual(std::string("IDX-3"), Read(folder.path / "large.parquet"), "one that does");
}

// The one row, so many times in one batch.
std::shared_ptr<arrow::RecordBatch> Rows(int count) {
  Fields fields = OneRow();
  for (auto& [name, cells] : fields) {
    const std::string cell = cells.json.substr(1, cells.json.size() - 2);
    cells.json = "[" + cell;
    for (int i = 1; i < count; ++i) cells.json += ", " + cell;
    cells.json += "]";
  }
  return MakeBatch(fields);
}

// A footer that says 76 of 77 rows: Arrow reads as many as it says, and there is an end.
void LyingFooter() {
  const auto path = folder.path / "lying.parquet";
  Write(path, Rows(77));
  const std::string whole = ReadBytes(path);
  int32_t length;
  std::memcpy(&length, whole.data() + whole.size() - 8, 4);
  // Fields of the footer that are 77: the first and the last count rows, those between are values of column chunks.
  std::vector<size_t> counts;
  for (size_t at = whole.size() - 8 - static_cast<size_t>(length);
       (at = whole.find("\x16\x9A\x01", at)) != std::string::npos; ++at) {
    counts.push_back(at);
  }
  ExpectEqual(true, counts.size() >= 5, "rows of the file and of its row group, values of three columns");
  std::string fewer_rows = whole, fewer_values = whole;
  for (const size_t at : {counts.front(), counts.back()}) fewer_rows[at + 1] = '\x98';
  for (const size_t at : counts) fewer_values[at + 1] = '\x98';
  ExpectEqual(std::string("FILE-1"), ReadText("lying.parquet", fewer_rows), "fewer rows than values");
  ExpectEqual(std::string("FILE-1"), ReadText("lying.parquet", fewer_values),
              "fewer rows and values than in the pages");
  std::string other_total = whole;
  other_total[counts.front() + 1] = '\x98';
  ExpectEqual(std::string("FILE-1"), ReadText("lying.parquet", other_total),
              "another number of rows than that of the row groups");
}

// A hundred views of the same half million elements.
void SharedViews() {
  auto batch = Rows(100);
  const auto constant = [](int64_t value, int64_t length) {
    return arrow::MakeArrayFromScalar(arrow::Int32Scalar(static_cast<int32_t>(value)), length).ValueOrDie();
  };
  const auto views =
      arrow::ListViewArray::FromArrays(*constant(0, 100), *constant(1 << 19, 100), *constant(5, 1 << 19)).ValueOrDie();
  const auto shared = arrow::field("top_indices_low", views->type());
  batch = batch->SetColumn(batch->schema()->GetFieldIndex(shared->name()), shared, views).ValueOrDie();
  Write(folder.path / "shared.arrows", batch);
  ExpectEqual(true, Read(folder.path / "shared.arrows").starts_with("Capacity error"), "views that share their values");
}

void Unnamed() {
  ExpectEqual(std::string("FILE-1"), ReadText("a.parquet", ""), "an empty file");
  ExpectEqual(std::string("FILE-1"), ReadText("a.parquet", "PAR1"), "a magic");
  ExpectEqual(std::string("FILE-1"), ReadText("a.parquet", "text"), "text");
  ExpectEqual(std::string(""), ReadText("a.ndjson", ""), "no row of stored JSON");
  ExpectEqual(true, Read(folder.path / "absent").starts_with("IOError"), "no file");
  Write(folder.path / "a.txt", MakeBatch(OneRow()));
  ExpectEqual(kOneRow, Read(folder.path / "a.txt"), "a stream by another name");
}

void Datasets() {
  const auto root = folder.path / "dataset";
  std::filesystem::create_directories(root / "b" / "_old");
  std::filesystem::create_directories(root / ".git");
  for (const char* name :
       {"b/2.arrow", "b/10.arrows", "a.parquet", "b.arrow", "_x.arrow", ".y.arrow", "b/_old/z.arrow", ".git/z.arrow"}) {
    Write(root / name, MakeBatch(OneRow()));
  }
  WriteBytes(root / "README.md", "text");
  std::string names;
  for (const auto& file : logitpack::DataFiles(root).ValueOrDie())
    names += file.lexically_relative(root).generic_string() + " ";
  ExpectEqual(std::string("a.parquet b.arrow b/10.arrows b/2.arrow "), names, "data files");
  std::filesystem::create_directories(root / "empty");
  ExpectEqual(std::string("FILE-1"), logitpack::Requirement(logitpack::DataFiles(root / "empty").status()),
              "no data files");
}

}  // namespace

int main() {
  CutAnywhere();
  EndOfStream();
  LostBatch();
  BodyThatIsNoStream();
  FlippedByte();
  Compressed();
  LyingFooter();
  Inflated();
  Limits();
  SharedViews();
  Unnamed();
  Datasets();
  return Finish();
}
