"""What CloudFormation says of a function whose arguments do not have the right shape: its own words."""

from __future__ import annotations

SHAPES: dict[str, str] = {
    "Ref": "Template format error: Every Ref object must have a single String value.",
    "Fn::GetAtt": "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
    "Fn::Sub": "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument,"
               " and an optional second argument to specify a mapping of values to replace in the string",
    "Fn::Join": "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined"
                " or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
    "Fn::Split": "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split"
                 " or a function that returns a string to be split.",
    "Fn::Select": "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
    "Fn::Base64": "Template error: every Fn::Base64 object must have a String-typed value.",
    "Fn::FindInMap": "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value",
    "Fn::If": "Template error: Fn::If requires a list argument with three elements: a condition's name, a value if it holds, a value if not",
    "Fn::Equals": "Template error: every Fn::Equals object requires a list of 2 string parameters.",
    "Fn::And": "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
    "Fn::Or": "Template error: every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters.",
    "Fn::Not": "Template error: every Fn::Not object requires a list of 1 boolean parameter.",
    "Condition": "Template error: every Condition object requires the name of a condition",
    "Fn::Cidr": "Template error: every Fn::Cidr object requires 2 or 3 parameters: an address block, how many (1 to 256), and the number of host bits",
    "Fn::GetAZs": "Template error: every Fn::GetAZs object requires the name of a region, or an empty string",
    "Fn::ImportValue": "Template error: every Fn::ImportValue object requires a single String value: the name of an export",
    "Fn::GetStackOutput": "Template error: every Fn::GetStackOutput object requires a mapping with StackName and OutputName, and perhaps Region and RoleArn",
    "Fn::Length": "Template error: every Fn::Length object requires a list, or a function that gives one",
    "Fn::ToJsonString": "Template error: every Fn::ToJsonString object requires a list or a mapping",
    "Fn::Contains": "Template error: every Fn::Contains object requires a list of 2 parameters: a list of strings, and a string",
    "Fn::EachMemberEquals": "Template error: every Fn::EachMemberEquals object requires a list of 2 parameters: a list of strings, and a string",
    "Fn::EachMemberIn": "Template error: every Fn::EachMemberIn object requires a list of 2 parameters, both lists of strings",
    "Fn::RefAll": "Template error: every Fn::RefAll object requires a single String value: a parameter type",
    "Fn::ValueOf": "Template error: every Fn::ValueOf object requires a list of 2 strings: a parameter and an attribute",
    "Fn::ValueOfAll": "Template error: every Fn::ValueOfAll object requires a list of 2 strings: a parameter type and an attribute",
}  # fmt: skip

EXAMPLES: dict[str, str] = {
    "Ref": "!Ref Web", "Fn::GetAtt": "!GetAtt Web.PrivateIp", "Fn::Sub": "!Sub 'db-${AWS::StackName}'", "Fn::Join": "!Join ['-', [a, !Ref Name]]",
    "Fn::Split": "!Split [',', 'a,b']", "Fn::Select": "!Select [0, [a, b]]", "Fn::Base64": "!Base64 'text'", "Fn::FindInMap": "!FindInMap [Sizes, small, ram]",
    "Fn::If": "!If [IsProduction, large, small]", "Fn::Equals": "!Equals [!Ref Stage, prod]", "Fn::And": "!And [!Condition A, !Condition B]",
    "Fn::Or": "!Or [!Condition A, !Condition B]", "Fn::Not": "!Not [!Condition A]", "Condition": "!Condition IsProduction",
    "Fn::Cidr": "!Cidr [10.0.0.0/16, 4, 8]", "Fn::GetAZs": "!GetAZs ''", "Fn::ImportValue": "!ImportValue network-id",
    "Fn::GetStackOutput": "!GetStackOutput {StackName: base, OutputName: NetworkId}", "Fn::Length": "!Length [a, b]",
    "Fn::ToJsonString": "!ToJsonString {a: 1}", "Fn::Contains": "!Contains [[a, b], !Ref Stage]", "Fn::EachMemberEquals": "!EachMemberEquals [!Ref Zones, a]",
    "Fn::EachMemberIn": "!EachMemberIn [!Ref Zones, [a, b]]", "Fn::RefAll": "!RefAll 'AWS::EC2::VPC::Id'", "Fn::ValueOf": "!ValueOf [Vpc, Tags.Team]",
    "Fn::ValueOfAll": "!ValueOfAll ['AWS::EC2::VPC::Id', Tags.Team]",
}  # fmt: skip

SUB_NAMES = "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"
IMPORT = "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs"
