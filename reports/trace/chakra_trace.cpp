// Field and enumerator numbers are those of github.com/mlcommons/chakra, schema/protobuf/et_def.proto; attributes have
// the names and types that its feeder reads.
#include "reports/trace/protobuf_message.hpp"
#include "reports/trace/trace_files.hpp"

namespace strata {

namespace {

constexpr int kVersion = 1, kMetadataAttribute = 2;  // of GlobalMetadata
constexpr int kId = 1, kNodeName = 2, kNodeType = 3, kDataDependency = 5, kStart = 6, kDuration = 7,
              kAttribute = 10;                                                       // of Node
constexpr int kAttributeName = 1, kInt64 = 9, kUint64 = 13, kBool = 27, kText = 29;  // of AttributeProto
enum NodeType { mem_load = 2, comp = 4, comm_coll = 7 };
enum CollectiveType { all_reduce = 0, all_gather = 2, all_to_all = 6, reduce_scatter = 7 };

NodeType type_of(const TraceOp& op) {
    if (is_fetch(op.lane)) return mem_load;
    return op.lane == Lane::scale_up || op.lane == Lane::scale_out ? comm_coll : comp;
}

// Tokens' ways to experts and back are all-to-alls.
CollectiveType collective_of(const TraceOp& op) {
    if (op.name.find("all_reduce") != std::string::npos) return all_reduce;
    if (op.name.find("all_gather") != std::string::npos) return all_gather;
    return op.name.find("reduce_scatter") != std::string::npos ? reduce_scatter : all_to_all;
}

std::uint64_t whole(double value) { return value > 0 ? static_cast<std::uint64_t>(value + 0.5) : 0; }

// The format has whole microseconds: both ends are rounded, so that errors do not add up along a step.
std::uint64_t whole_us(TraceTime time) { return static_cast<std::uint64_t>((time + 500'000) / 1'000'000); }

ProtobufMessage attribute(const char* name, int kind, std::uint64_t value) {
    return ProtobufMessage().text(kAttributeName, name).integer(kind, value);
}

ProtobufMessage node_of(const TraceOp& op, std::uint64_t id) {
    ProtobufMessage node;
    const NodeType type = type_of(op);
    node.integer(kId, id).text(kNodeName, op.name).integer(kNodeType, type);
    for (const std::uint32_t before : op.after) node.integer(kDataDependency, before);
    node.integer(kStart, whole_us(op.begin)).integer(kDuration, whole_us(op.end) - whole_us(op.begin));
    node.message(kAttribute, attribute("is_cpu_op", kBool, op.lane == Lane::host_compute));
    if (type == comm_coll) {
        node.message(kAttribute, attribute("comm_type", kInt64, collective_of(op)));
        node.message(kAttribute, attribute("comm_size", kInt64, whole(op.bytes)));
    } else {
        if (type == comp) node.message(kAttribute, attribute("num_ops", kInt64, whole(op.flops)));
        node.message(kAttribute, attribute("tensor_size", kUint64, whole(op.bytes)));
    }
    return node;
}

}  // namespace

std::string chakra_trace(const Trace& trace) {
    ProtobufMessage metadata;
    metadata.text(kVersion, "0.0.4")
        .message(kMetadataAttribute,
                 ProtobufMessage().text(kAttributeName, "schema").text(kText, "1.0.2-chakra.0.0.4"));
    std::string file = metadata.delimited();
    for (std::size_t i = 0; i < trace.ops.size(); ++i) file += node_of(trace.ops[i], i).delimited();
    return file;
}

}  // namespace strata
