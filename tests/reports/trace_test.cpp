// Traces as other programs read them: decoded by protoc from the public field numbers, held against the engine's own
// accounting.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "hwmodels/input_error.hpp"
#include "reports/files.hpp"
#include "reports/trace/trace_files.hpp"
#include "tests/reports/protobuf_text.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/source_root.hpp"

namespace strata {
namespace {

bool has_protoc() { return std::system("protoc --version >/dev/null 2>&1") == 0; }

ProtobufText decoded(const std::string& bytes, const std::string& file, const std::string& message) {
    const ScratchFolder folder;
    write_whole(folder / "bytes", bytes);
    const std::string command = "protoc --proto_path=" + kRoot + "/tests/reports/proto --decode=" + message + " " +
                                file + " < " + (folder / "bytes") + " > " + (folder / "text");
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream text(folder / "text");
    return ProtobufText::read(text);
}

// Length-delimited messages as fields of one: the first as field 1, the others as field 2.
std::string as_fields(const std::string& delimited) {
    std::string fields;
    for (std::size_t at = 0; at < delimited.size();) {
        std::size_t length = 0, begin = at;
        for (int shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(delimited.at(at++));
            length |= std::size_t(byte & 0x7f) << shift;
            if (!(byte & 0x80)) break;
        }
        at += length;
        fields += (begin == 0 ? '\x0a' : '\x12') + delimited.substr(begin, at - begin);
    }
    return fields;
}

// Two ops on two resources of a rank; the exchange waits for the product.
Trace small_trace() {
    return {.ops = {{.name = "product",
                     .component = "experts",
                     .origin = "measured",
                     .lane = Lane::compute,
                     .layer = 3,
                     .begin = 1'000'000,
                     .end = 3'500'000,
                     .flops = 2e9,
                     .bytes = 1e6},
                    {.name = "dispatch \"<x>\"",
                     .component = "experts",
                     .origin = "modelled",
                     .lane = Lane::scale_up,
                     .layer = 3,
                     .begin = 3'500'000,
                     .end = 9'000'000,
                     .bytes = 4096,
                     .peers = 8,
                     .after = {0}}},
            .tracks = {{"node0.gpu0.compute_engine", {{0, 0, 1'000'000, 3'500'000}}},
                       {"node0.gpu0.scale_up", {{1, 0, 3'500'000, 8'000'400}}}}};
}

TEST(PerfettoTrace, has_the_public_field_numbers) {
    if (!has_protoc()) GTEST_SKIP() << "protoc is not installed (protobuf-compiler)";
    const ProtobufText trace = decoded(perfetto_trace(small_trace()), "perfetto.proto", "perfetto.Trace");
    const auto packets = trace.all("packet");
    ASSERT_EQ(packets.size(), 8u);  // node0, gpu0, two resources, four ends of slices
    std::vector<std::string> names;
    for (const ProtobufText* packet : packets)
        if (const ProtobufText* track = packet->message("track_descriptor")) names.push_back(track->text("name"));
    EXPECT_EQ(names, (std::vector<std::string>{"\"node0\"", "\"gpu0\"", "\"compute_engine\"", "\"scale_up\""}));
    const ProtobufText &begin = *packets[6], &end = *packets[7];
    EXPECT_EQ(begin.number("timestamp"), 3500);
    EXPECT_EQ(end.number("timestamp"), 8000);
    EXPECT_EQ(begin.message("track_event")->text("type"), "TYPE_SLICE_BEGIN");
    EXPECT_EQ(begin.message("track_event")->text("name"), R"("dispatch \"<x>\"")");
    EXPECT_EQ(begin.message("track_event")->text("categories"), "\"experts\"");
    EXPECT_EQ(begin.message("track_event")->all("debug_annotations").at(0)->number("int_value"), 3);
    EXPECT_EQ(packets[5]->message("track_descriptor")->number("parent_uuid"), 2);
}

TEST(ChakraTrace, has_the_public_field_numbers) {
    if (!has_protoc()) GTEST_SKIP() << "protoc is not installed (protobuf-compiler)";
    const ProtobufText file = decoded(as_fields(chakra_trace(small_trace())), "chakra.proto", "chakra.File");
    EXPECT_EQ(file.message("metadata")->text("version"), "\"0.0.4\"");
    const auto nodes = file.all("node");
    ASSERT_EQ(nodes.size(), 2u);
    EXPECT_EQ(nodes[0]->text("type"), "COMP_NODE");
    EXPECT_EQ(nodes[1]->text("type"), "COMM_COLL_NODE");
    EXPECT_EQ(nodes[1]->fields.count("data_deps"), 1u);
    EXPECT_EQ(nodes[1]->number("data_deps"), 0);
    // 1 to 3.5 us: both ends are rounded.
    EXPECT_EQ(nodes[0]->number("start_time_micros"), 1);
    EXPECT_EQ(nodes[0]->number("duration_micros"), 3);
    std::map<std::string, const ProtobufText*> attributes;
    for (const ProtobufText* attribute : nodes[1]->all("attr")) attributes[attribute->text("name")] = attribute;
    EXPECT_EQ(attributes.at("\"comm_type\"")->number("int64_val"), 6);  // all to all
    EXPECT_EQ(attributes.at("\"comm_size\"")->number("int64_val"), 4096);
    EXPECT_EQ(attributes.at("\"is_cpu_op\"")->text("bool_val"), "false");
}

TEST(ChromeTrace, is_json_with_times_in_microseconds) {
    const auto json = nlohmann::json::parse(chrome_trace(small_trace()));
    const auto& events = json.at("traceEvents");
    ASSERT_EQ(events.size(), 5u);  // a process, two threads, two slices
    EXPECT_EQ(events[4].at("ph"), "X");
    EXPECT_EQ(events[4].at("name"), "dispatch \"<x>\"");
    EXPECT_DOUBLE_EQ(events[4].at("ts"), 3.5);
    EXPECT_DOUBLE_EQ(events[4].at("dur"), 4.5004);
}

TEST(TraceFile, is_of_the_kind_that_its_name_says) {
    EXPECT_EQ(trace_file(small_trace(), "a.json"), chrome_trace(small_trace()));
    EXPECT_EQ(trace_file(small_trace(), "a.pftrace"), perfetto_trace(small_trace()));
    EXPECT_THROW(trace_file(small_trace(), "a.txt"), InputError);
}

// One step of a model that fetches tables from host memory on eight ranks, by the programs as users run them.
class TracedStep : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_protoc()) GTEST_SKIP() << "protoc is not installed (protobuf-compiler)";
        const std::string command = std::string(STRATA_BINARY_DIR) + "/strata run " + kRoot +
                                    "/scenarios/examples/engram-tiers.yaml --engine systemc --set axes=[] --set "
                                    "placement.engram.tier=host --trace " +
                                    (folder_ / "t.pftrace") + " --chakra " + (folder_ / "t.et") + " --json " +
                                    (folder_ / "t.json") + " >/dev/null 2>&1";
        ASSERT_EQ(WEXITSTATUS(std::system(command.c_str())), 0);
        const auto points = nlohmann::json::parse(whole_file(folder_ / "t.json")).at("points");
        ASSERT_EQ(points.size(), 1u);
        point_ = points[0];
    }

    ScratchFolder folder_;
    nlohmann::json point_;
};

struct Decoded {
    std::string place;
    long long busy_ns = 0, last_ns = 0;
    int slices = 0;
    bool open = false;
};

TEST_F(TracedStep, has_tracks_as_busy_as_the_engine_says_and_slices_that_follow_each_other) {
    const ProtobufText trace = decoded(whole_file(folder_ / "t.pftrace"), "perfetto.proto", "perfetto.Trace");
    std::map<long long, Decoded> tracks;
    for (const ProtobufText* packet : trace.all("packet")) {
        if (const ProtobufText* track = packet->message("track_descriptor")) {
            const std::string name = track->text("name").substr(1, track->text("name").size() - 2);
            const auto parent = tracks.find(track->number("parent_uuid"));
            tracks[track->number("uuid")].place = parent == tracks.end() ? name : parent->second.place + "." + name;
            continue;
        }
        const ProtobufText& event = *packet->message("track_event");
        Decoded& track = tracks.at(event.number("track_uuid"));
        const bool begins = event.text("type") == "TYPE_SLICE_BEGIN";
        ASSERT_NE(begins, track.open) << track.place;  // never one inside another
        ASSERT_GE(packet->number("timestamp"), track.last_ns) << track.place;
        if (begins) {
            EXPECT_GT(event.text("name").size(), 2u);
        }
        if (!begins) track.busy_ns += packet->number("timestamp") - track.last_ns;
        track.last_ns = packet->number("timestamp");
        track.slices += begins;
        track.open = begins;
    }
    const double step_ns = point_.at("metrics").at("decode.step_ms").get<double>() * 1e6;
    std::map<std::string, Decoded> by_place;
    for (const auto& [uuid, track] : tracks) by_place[track.place] = track;
    int compared = 0;
    for (const auto& [place, use] : point_.at("resources").items()) {
        const double busy_ns = use.at("busy").get<double>() * step_ns;
        if (busy_ns == 0) continue;
        ASSERT_TRUE(by_place.count(place)) << place;
        // Both ends of a slice are rounded to a nanosecond.
        EXPECT_NEAR(double(by_place[place].busy_ns), busy_ns, by_place[place].slices + 1.0) << place;
        ++compared;
    }
    EXPECT_GT(compared, 16);  // memory and host link of eight ranks at least
}

TEST_F(TracedStep, is_a_graph_of_computation_loads_and_exchanges_for_other_simulators) {
    const ProtobufText file = decoded(as_fields(whole_file(folder_ / "t.et")), "chakra.proto", "chakra.File");
    std::map<std::string, int> types;
    std::map<long long, const ProtobufText*> nodes;
    long long end_us = 0;
    for (const ProtobufText* node : file.all("node")) {
        ++types[node->text("type")];
        nodes[node->number("id")] = node;
        end_us = std::max(end_us, node->number("start_time_micros") + node->number("duration_micros"));
    }
    EXPECT_GT(types["COMP_NODE"], 100);
    EXPECT_GT(types["COMM_COLL_NODE"], 0);
    EXPECT_GT(types["MEM_LOAD_NODE"], 0);
    EXPECT_EQ(types.size(), 3u);
    int edges = 0;
    for (const auto& [id, node] : nodes)
        for (auto [at, last] = node->fields.equal_range("data_deps"); at != last; ++at, ++edges) {
            const ProtobufText& before = *nodes.at(std::stoll(at->second));
            EXPECT_LT(std::stoll(at->second), id);
            EXPECT_LE(before.number("start_time_micros") + before.number("duration_micros"),
                      node->number("start_time_micros"));
        }
    EXPECT_GT(edges, 100);
    EXPECT_NEAR(double(end_us), point_.at("metrics").at("decode.step_ms").get<double>() * 1e3, 1);
}

TEST(StrataTrace, is_refused_of_a_sweep_before_it_runs) {
    const std::string command = std::string(STRATA_BINARY_DIR) + "/strata run " + kRoot +
                                "/scenarios/examples/engram-tiers.yaml --trace /tmp/none.pftrace 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    std::string output;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += char(c);
    EXPECT_EQ(WEXITSTATUS(pclose(pipe)), 2);
    EXPECT_NE(output.find("--trace: expected a scenario of one point"), std::string::npos) << output;
}

}  // namespace
}  // namespace strata
